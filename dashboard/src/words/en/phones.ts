export const phones = {
  title: 'Phones',
};
