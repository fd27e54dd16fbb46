// SPDX-License-Identifier: Apache-2.0
// Before anything is drawn: the colours that were chosen last, so that nothing flashes.
(() => {
  const carried = new URLSearchParams(location.hash.split('?')[1] ?? '').get('theme');
  let kept = null;
  try {
    kept = carried ?? localStorage.getItem('theme');
  } catch {
    kept = carried; // storage is forbidden: the choice lasts as long as the page
  }
  if (kept === 'light' || kept === 'dark') {
    document.documentElement.dataset.theme = kept;
  }
})();
