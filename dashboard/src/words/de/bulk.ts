export const bulk = {
  title: 'Sammelversand',
};
