'use strict';
(() => {
  document.documentElement.classList.add('js');
  const runs = [...document.querySelectorAll('.run')].map(begin);
  let current = runs[0];

  // A run of the page: which of its steps is shown, and how to show another.
  function begin(section) {
    const steps = [...section.querySelectorAll('.step')];
    const rows = [...section.querySelectorAll('svg.rows .row')];
    const diagram = section.querySelector('.diagram');
    const slider = section.querySelector('input');
    const [back, on] = section.querySelectorAll('button');
    const count = section.querySelector('output');
    const live = section.querySelector('.live');
    const run = { section, steps, at: 0, show, go };

    function show(at, { quiet = false } = {}) {
      run.at = Math.min(Math.max(at, 0), steps.length - 1);
      steps.forEach((step, place) => step.classList.toggle('now', place === run.at));
      rows.forEach((row, place) => {
        row.classList.toggle('now', place + 1 === run.at);
        row.classList.toggle('later', run.at > 0 && place + 1 > run.at);
      });
      slider.value = run.at;
      const told = run.at === 0 ? 'Before the first step' : `Step ${run.at} of ${steps.length - 1}`;
      slider.setAttribute('aria-valuetext', told);
      count.textContent = told;
      back.disabled = run.at === 0;
      on.disabled = run.at === steps.length - 1;
      if (quiet) return;
      live.textContent = `${told}. ${steps[run.at].querySelector('.said').textContent}`;
      into(diagram, rows[run.at - 1]);
    }

    function go(at) {
      current = run;
      show(at);
      history.replaceState(null, '', `#${steps[run.at].id}`);
    }

    rows.forEach((row, place) => row.addEventListener('click', () => go(place + 1)));
    slider.addEventListener('input', () => go(Number(slider.value)));
    back.addEventListener('click', () => go(run.at - 1));
    on.addEventListener('click', () => go(run.at + 1));
    section.addEventListener('focusin', () => { current = run; });
    section.addEventListener('pointerdown', () => { current = run; });
    section.querySelectorAll('details.state').forEach((state) => { state.open = true; });
    show(0, { quiet: true });
    return run;
  }

  // Scrolls the diagram's own box, never the page.
  function into(box, row) {
    if (!row) { box.scrollTo(0, 0); return; }
    const [outer, inner] = [box.getBoundingClientRect(), row.getBoundingClientRect()];
    const head = box.querySelector('.lanes').getBoundingClientRect().height;
    if (inner.top < outer.top + head) box.scrollTop += inner.top - outer.top - head - 8;
    else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 16;
    const drawn = row.querySelector('.drawn').getBoundingClientRect();
    if (drawn.right > outer.right) box.scrollLeft += drawn.right - outer.right + 24;
    else if (drawn.left < outer.left) box.scrollLeft += drawn.left - outer.left - 24;
  }

  // Which run the keys are about: the one in use, or else the one in view.
  function inView() {
    const middle = innerHeight / 2;
    const seen = runs.find(({ section }) => {
      const { top, bottom } = section.getBoundingClientRect();
      return top <= middle && bottom >= middle;
    });
    return seen || current;
  }

  document.addEventListener('keydown', (event) => {
    if (!runs.length || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('pre, summary')) return;
    const inStage = event.target.closest('.stage');
    const isSlider = event.target.matches('input');
    const run = inStage ? runs.find(({ section }) => section.contains(event.target)) : inView();
    const to = {
      ArrowRight: run.at + 1, j: run.at + 1, ArrowLeft: run.at - 1, k: run.at - 1,
      // These move the page, unless a run has the focus.
      ...(inStage && { ArrowDown: run.at + 1, ArrowUp: run.at - 1, Home: 0, End: run.steps.length - 1 }),
      ...(event.target === document.body && { Home: 0, End: run.steps.length - 1 }),
    }[event.key];
    if (to === undefined || (isSlider && event.key !== 'j' && event.key !== 'k')) return;
    event.preventDefault();
    run.go(to);
  });

  // A link to a step, such as #no-loss-3.
  function follow() {
    for (const run of runs) {
      const at = run.steps.findIndex(({ id }) => `#${id}` === location.hash);
      if (at < 0) continue;
      current = run;
      run.show(at);
      run.section.querySelector('.steps').scrollTop = 0;
      run.section.scrollIntoView();
    }
  }
  addEventListener('hashchange', follow);
  // The browser itself would scroll to the step: after that, to its run.
  addEventListener('load', follow);
  follow();
})();
