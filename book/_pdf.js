// Makes one printable document of the book's pages, in the browser that prints it. book/_pdf.py calls `assemble` and
// `number`; a page is parsed but never run, so its scripts do nothing here.

const FORMULAS = {
  startup: {typeset: false},
  options: {enableMenu: false, enableAssistiveMml: false, renderActions: {assistiveMml: []},
            ignoreHtmlClass: 'tex2jax_ignore|mathjax_ignore', processHtmlClass: 'tex2jax_process|mathjax_process|math|output_area'},
};

const make = (html) => {
  const box = document.createElement('template');
  box.innerHTML = html.trim();
  return box.content.firstElementChild;
};
const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const keyOf = (name) => name.replaceAll('/', '-');
const plain = (element) => {
  const copy = element.cloneNode(true);
  copy.querySelectorAll('.headerlink').forEach((one) => one.remove());
  return copy.textContent.trim();
};

// "on page N", which `number` fills in.
const pageOf = (id) => `<span class="page-of" data-of="${escaped(id)}"></span>`;

// A reader's program would read out every span as a part of its own: only those that carry a colour stay.
const PLAIN = ['n', 'p', 'o', 'w', 'nn', 'nb', 'pre'].map((name) => `.highlight span.${name}, code span.${name}`).join();

async function fetched(name) {
  const answer = await fetch(`/${name}.html`);
  if (!answer.ok) throw new Error(`the page ${name}.html is missing`);
  return new DOMParser().parseFromString(await answer.text(), 'text/html');
}

// --- what paper cannot do ---------------------------------------------------------------------------------------

function still(article, online) {
  const there = online ? `<a href="${escaped(online)}">the online book</a>` : 'the online book';
  for (const one of article.querySelectorAll('script, style, noscript, .headerlink, details.hide, template')) one.remove();
  for (const box of article.querySelectorAll('.sergan-moving')) {
    const now = [...box.querySelectorAll('.control')].map((control) => {
      const chosen = control.querySelector('option[selected], option');
      return plain(control.querySelector('label')) + (chosen ? `: ${plain(chosen)}` : '');
    });
    box.querySelector('.controls')?.remove();
    box.append(make(`<p class="online">Shown for ${escaped(now.join('; '))}. This figure moves in ${there}.</p>`));
  }
  for (const box of article.querySelectorAll('.sergan-seal')) {
    for (const field of box.querySelectorAll('input')) field.replaceWith(make('<span class="blank"></span>'));
    for (const field of box.querySelectorAll('select')) {
      const choices = [...field.options].map((option) => option.textContent).filter(Boolean);
      field.replaceWith(make(`<span>${escaped(choices.join(' / '))}: <span class="blank"></span></span>`));
    }
    for (const one of box.querySelectorAll('button, [role="status"]')) one.remove();
    box.append(make(`<p class="online">Write your answers here, or seal them in ${there}.</p>`));
  }
  for (const sound of article.querySelectorAll('audio, video')) {
    sound.replaceWith(make(`<p class="online">Sound: in ${there}.</p>`));
  }
  for (const one of article.querySelectorAll('button, input, select, iframe')) one.remove();
  for (const span of article.querySelectorAll(PLAIN)) span.replaceWith(...span.childNodes);
  for (const code of article.querySelectorAll('pre, code')) code.normalize();
  for (const image of article.querySelectorAll('img')) image.removeAttribute('loading');
}

// --- what is printed at the end ---------------------------------------------------------------------------------

// Takes answers, hints and solutions out of a page; they come back as a list, each with an id of its own.
function setApart(article, key) {
  const later = [];
  const send = (element, label, title, content) => {
    const id = `${key}--later-${later.length + 1}`;
    const from = `${id}-from`;
    element.replaceWith(make(`<p class="later" id="${from}">${label} <a href="#${id}">on page ${pageOf(id)}</a></p>`));
    later.push({id, from, title, content});
  };
  const quizzes = [...article.querySelectorAll('details.quiz')];
  quizzes.forEach((quiz, k) => {
    const summary = quiz.querySelector('summary');
    const question = `<strong>Question ${k + 1}.</strong> <span class="asked">${summary.innerHTML}</span>`;
    summary.remove();
    send(quiz, `${question} Answer`, `Question ${k + 1}`, [...quiz.childNodes]);
  });
  for (const hint of [...article.querySelectorAll('.exercise details')]) {
    const of = hint.closest('.exercise').querySelector('.caption-number')?.textContent.trim() ?? '';
    const summary = hint.querySelector('summary');
    const word = plain(summary);
    summary.remove();
    send(hint, word, `${of}: ${word.toLowerCase()}`, [...hint.childNodes]);
  }
  for (const solution of [...article.querySelectorAll('.solution')]) {
    const title = solution.querySelector('.admonition-title');
    title.remove();
    send(solution, 'Solution', plain(title), [...solution.childNodes]);
  }
  const order = (title) => Number(/^Question/.test(title) ? 0 : /\d+/.exec(title)?.[0] ?? 0);
  return later.sort((a, b) => order(a.title) - order(b.title));
}

function opened(article) {
  for (const one of article.querySelectorAll('details')) {
    const box = make('<div class="opened"></div>');
    const summary = one.querySelector('summary');
    if (summary) box.append(make(`<p><strong>${summary.innerHTML}</strong></p>`));
    summary?.remove();
    box.append(...one.childNodes);
    one.replaceWith(box);
  }
}

// --- one document out of many -----------------------------------------------------------------------------------

function named(article, key) {
  for (const one of article.querySelectorAll('[id]')) {
    if (one.id === 'exercise-content' || one.id === 'solution-content') one.removeAttribute('id');
    else one.id = `${key}--${one.id}`;
  }
  for (const name of ['for', 'aria-labelledby', 'aria-describedby']) {
    for (const one of article.querySelectorAll(`[${name}]`)) one.removeAttribute(name);
  }
}

// Links to pages of the book go to their place in this document, to other files of the site to the online book.
function linked(article, name, names, address) {
  const base = new URL(`/${name}.html`, location.href);
  for (const image of article.querySelectorAll('img[src]')) image.src = new URL(image.getAttribute('src'), base).href;
  for (const link of article.querySelectorAll('a[href]')) {
    const target = new URL(link.getAttribute('href'), base);
    const page = decodeURI(target.pathname).slice(1).replace(/\.html$/, '');
    if (target.origin !== location.origin) {
      if (!/^(https?|mailto):$/.test(target.protocol)) link.replaceWith(...link.childNodes);
    } else if (names.has(page)) {
      const place = decodeURIComponent(target.hash.slice(1));
      link.setAttribute('href', `#${keyOf(page)}${place ? `--${place}` : ''}`);
    } else if (address && !link.querySelector('img')) {
      link.href = address + target.pathname.slice(1) + target.hash;
    } else link.replaceWith(...link.childNodes);
  }
}

function entry(id, title, kind) {
  return `<li class="${kind}"><a href="#${escaped(id)}"><span class="title">${title}</span>${pageOf(id)}</a></li>`;
}

// What the contents, the heads of pages and the cover take from a page: its title without a link's sign.
const titleOf = (heading) => {
  const copy = heading.cloneNode(true);
  copy.querySelectorAll('.headerlink').forEach((one) => one.remove());
  return copy.innerHTML.trim();
};

async function assemble({pages, address, edition}) {
  const names = new Set(pages.map((page) => page.name));
  const body = document.createElement('main');
  const heads = [], contents = [], later = [];
  let mathjax = '', part = '';
  const runningHead = (key, text) => heads.push(
    `@page ${key} { @top-center { content: ${JSON.stringify(text.replace(/\s+/g, ' '))}; } } #${key} { page: ${key}; }`);
  for (const {name, part: its} of pages) {
    const doc = await fetched(name), key = keyOf(name), article = doc.querySelector('article');
    if (!article) throw new Error(`the page ${name}.html has no article`);
    mathjax ||= doc.querySelector('script[src*="mathjax"]')?.getAttribute('src') ?? '';
    const heading = article.querySelector('h1');
    if (!body.children.length) {
      document.documentElement.lang = doc.documentElement.lang;
      body.dataset.subtitle = heading.nextElementSibling?.textContent ?? '';
      const version = doc.querySelector('.edition');
      version?.querySelector('a[href*="cite"]')?.nextSibling?.remove();
      version?.querySelector('a[href*="cite"]')?.remove();
      if (version) edition.lines.unshift(escaped(version.textContent.trim()));
    }
    still(article, address && `${address}${name}.html`);
    named(article, key);
    linked(article, name, names, address);
    const apart = setApart(article, key);
    opened(article);
    if (apart.length) later.push({key, title: titleOf(heading), apart});
    if (its !== part) contents.push(`<li class="part">${escaped(part = its)}</li>`);
    contents.push(entry(key, titleOf(heading), 'page-entry'));
    if (apart.length) {
      for (const two of article.querySelectorAll('h2')) contents.push(entry(two.closest('section[id]').id, titleOf(two), 'section-entry'));
    }
    const section = make(`<section class="page" id="${key}"></section>`);
    section.append(...article.childNodes);
    body.append(section);
    runningHead(key, plain(heading));
  }
  if (later.length) {
    const title = 'Answers, hints and solutions';
    const section = make(`<section class="page" id="later"><h1>${title}</h1><p>They stand here and not beside the questions, so that you can
      write down your own answer first. The page number leads back.</p></section>`);
    for (const {key, title: chapter, apart} of later) {
      const some = make(`<section id="later-${key}"><h2>${chapter}</h2></section>`);
      for (const one of apart) {
        const box = make(`<div class="answer" id="${one.id}"><p class="answer-title">${escaped(one.title)}
          <a href="#${one.from}">page ${pageOf(one.from)}</a></p></div>`);
        box.append(...one.content);
        some.append(box);
      }
      section.append(some);
    }
    body.append(section);
    runningHead('later', title);
    contents.push(entry('later', title, 'page-entry'));
  }
  const list = make(`<nav class="page" id="contents"><h1>Contents</h1><ul>${contents.join('')}</ul></nav>`);
  runningHead('contents', 'Contents');
  const lines = edition.lines.map((line) => `<p>${line}</p>`).join('');
  const cover = make(`<header class="cover" id="cover"><div><p class="book-title">${escaped(edition.title)}</p>
    <p class="subtitle">${escaped(body.dataset.subtitle)}</p><p class="author">${escaped(edition.author)}</p></div>
    <p class="zeros" aria-hidden="true">[0, 0, 0, 0]</p><div class="colophon">${lines}</div></header>`);
  document.head.append(make(`<style>${heads.join('\n')}</style>`));
  document.body.append(cover, list, body);
  if (mathjax && document.querySelector('.math')) {
    window.MathJax = FORMULAS;
    const script = document.createElement('script');
    script.src = new URL(mathjax, new URL(`/${pages[0].name}.html`, location.href)).href;
    await new Promise((done, failed) => { script.onload = done; script.onerror = failed; document.head.append(script); });
    await window.MathJax.startup.promise;
    await window.MathJax.typesetPromise([document.body]);
  }
  await document.fonts.ready;
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  fit();
  const broken = [...document.images].filter((image) => !image.naturalWidth).map((image) => `picture ${image.src.slice(0, 120)}`);
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.getAttribute('href').slice(1))) broken.push(`link ${link.getAttribute('href')}`);
  }
  if (document.querySelector('mjx-merror')) broken.push(`formula ${document.querySelector('mjx-merror').textContent}`);
  return broken;
}

// What is wider than the page is made smaller.
function fit() {
  const width = document.querySelector('main').clientWidth;
  for (const one of document.querySelectorAll('table, mjx-container[display="true"]')) {
    const inner = one.tagName === 'TABLE' ? one : one.querySelector('mjx-math');
    const room = one.parentElement.clientWidth || width;
    const needs = inner.getBoundingClientRect().width + (one.parentElement.querySelector('.eqno')?.clientWidth ?? 0);
    if (needs > room + 1) one.style.zoom = Math.max(0.4, room / needs - 0.005);
  }
}

function number(places) {
  for (const one of document.querySelectorAll('.page-of')) one.textContent = places[one.dataset.of] ?? '';
}

const unnumbered = () => [...document.querySelectorAll('.page-of')].filter((one) => !one.textContent).map((one) => one.dataset.of);

Object.assign(window, {assemble, number, unnumbered});
