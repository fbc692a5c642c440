// The buttons that the theme would give a handler inside the page, which the pages' policy forbids; and what a reader
// is about to use is loaded a moment before: a figure's pictures, a sound.
(() => {
  document.addEventListener('click', event => {
    if (event.target.closest('.btn-fullscreen-button')) toggleFullScreen();
    else if (event.target.closest('.btn-download-pdf-button')) window.print();
  });

  const soon = (box, load) => {
    let loaded = false;
    const once = () => { if (!loaded) { loaded = true; load(); } };
    for (const kind of ['pointerenter', 'touchstart', 'focusin']) box.addEventListener(kind, once, {passive: true});
  };
  for (const box of document.querySelectorAll('.sergan-moving')) soon(box, () => {
    const {pictures} = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
    box.ready = pictures.map(address => Object.assign(new Image(), {src: address}));
  });
  for (const audio of document.querySelectorAll('audio[preload="none"]')) {
    soon(audio.closest('.sergan-sound') || audio, () => { audio.preload = 'metadata'; });
  }
})();
