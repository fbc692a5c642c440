// What depends on the window, or changes as a page is used. What does not is done by book/_site/accessible.py.
addEventListener('DOMContentLoaded', () => {  // when the theme has made its own buttons
  const korean = document.documentElement.lang.startsWith('ko');
  const main = document.getElementById('main-content');
  if (!main) return;

  // A box that scrolls can be reached by keyboard, where nothing inside it can.
  const boxes = main.querySelectorAll('pre, .cell_output .output, .pst-scrollable-table-container, div.math, figure, .shown');
  const inside = 'a[href], button, input, select, summary, audio';
  const reach = box => {
    const wide = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    const scrolls = wide && getComputedStyle(box).overflowX !== 'visible' && !box.querySelector(inside);
    if (scrolls) {
      box.tabIndex = 0;
      if (box.localName !== 'pre' && !box.hasAttribute('role')) {
        box.setAttribute('role', 'group');
        box.setAttribute('aria-label', korean ? '옆으로 밀어 볼 수 있음' : 'May be scrolled');
      }
    } else if (box.tabIndex === 0) box.removeAttribute('tabindex');
  };
  const sizes = new ResizeObserver(entries => {
    for (const box of new Set(entries.map(entry => entry.target.closest('[data-box]')))) reach(box);
  });
  for (const box of boxes) {
    box.dataset.box = '';
    for (const part of [box, ...box.children]) sizes.observe(part);
  }

  // A status that is read out.
  const status = document.createElement('p');
  status.className = 'visually-hidden';
  status.setAttribute('role', 'status');
  main.append(status);

  // A solution's button is named after the solution; a button of the theme says the state it is in.
  for (const button of document.querySelectorAll('.toggle-button')) {
    const name = document.createElement('span');
    name.className = 'visually-hidden';
    name.textContent = button.parentElement.textContent.trim();
    button.removeAttribute('aria-label');
    button.append(name);
  }
  const theme = document.querySelector('.theme-switch-button'), colour = theme?.getAttribute('aria-label');
  const sidebar = document.getElementById('pst-primary-sidebar'), toggle = document.querySelector('.primary-toggle');
  const state = () => {
    const icon = theme?.querySelector(`[data-mode="${document.documentElement.dataset.mode}"]`);
    const mode = icon?.getAttribute('title') || icon?.querySelector('title')?.textContent;  // a drawing, where one is
    if (mode) theme.setAttribute('aria-label', `${colour}: ${mode}`);
    const wide = matchMedia('(min-width: 992px)').matches;
    toggle?.setAttribute('aria-expanded', wide && !sidebar.classList.contains('pst-sidebar-hidden'));
  };
  state();
  addEventListener('resize', state);

  // The theme takes the focus from its buttons when they are pressed; who pressed by keyboard keeps it.
  let opener = null;
  document.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    if (!button.closest('dialog')) opener = button;
    setTimeout(() => {
      state();
      if (event.detail === 0 && document.activeElement === document.body) button.focus();
      if (button === theme) status.textContent = theme.getAttribute('aria-label');
      if (button.classList.contains('copybtn')) {
        setTimeout(() => { status.textContent = button.dataset.tooltip; }, 100);
        setTimeout(() => { status.textContent = ''; }, 2000);
      }
    });
  }, true);
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.addEventListener('close', () => {
      if (document.activeElement === document.body) opener?.focus();
      opener = null;
    });
  }

  // Escape takes away a tip that covers something.
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') for (const tip of document.querySelectorAll('.tooltip')) tip.style.visibility = 'hidden';
  });
});
