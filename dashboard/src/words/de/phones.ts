export const phones = {
  title: 'Telefone',
};
