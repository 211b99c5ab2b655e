export const inbox = {
  title: 'Inbox',
  unread: 'unread',
};
