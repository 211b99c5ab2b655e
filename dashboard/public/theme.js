// Before the first paint, so that a chosen theme never flashes.
try {
  const theme = localStorage.getItem('httpsms.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's theme it is.
}
