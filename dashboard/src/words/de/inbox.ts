export const inbox = {
  title: 'Posteingang',
  unread: 'ungelesen',
};
