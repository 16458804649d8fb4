/* The sandbox's page: sends forms in place and follows the world. Without it every form still works. */
(() => {
  "use strict";
  const body = document.body, root = document.documentElement;
  const state = { who: body.dataset.who, door: body.dataset.door };
  const known = new Map();
  let busy = false, again = false, place = "", stood = document.querySelector(".reel.on")?.dataset.state || "";

  root.classList.add("js");
  for (const part of document.querySelectorAll("[data-part]")) known.set(part.dataset.part, part.outerHTML);
  const keysOf = (part) => new Set([...part.querySelectorAll("[data-key]")].map((each) => each.dataset.key));

  function settle(part) {
    if ("stick" in part.dataset) part.scrollTop = part.scrollHeight;
    const newest = part.querySelector(".newest");
    if (newest && "stick" in part.dataset) part.scrollTop = Math.max(0, newest.offsetTop - 12);
  }

  function put(fresh) {
    const name = fresh.dataset.part, html = fresh.outerHTML;
    const old = document.querySelector(`[data-part="${name}"]`);
    if (!old || known.get(name) === html) return;
    known.set(name, html);
    const before = keysOf(old), same = old.dataset.of === fresh.dataset.of;
    const open = new Set([...old.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
    const grew = fresh.querySelectorAll("[data-key]").length !== before.size;
    const top = old.scrollTop;
    for (const each of fresh.querySelectorAll("details[data-key]")) if (open.has(each.dataset.key)) each.open = true;
    if (same) for (const each of fresh.querySelectorAll("[data-key]")) if (!before.has(each.dataset.key)) each.classList.add("fresh");
    old.replaceWith(fresh);
    if (grew) settle(fresh); else fresh.scrollTop = top;
  }

  function follow() {
    const reel = document.querySelector(".reel");
    if (!reel) return;
    const told = reel.classList.contains("on") ? reel.dataset.state || "passed" : "";
    if (told && told !== stood && (told === "playing" || told === "passed"))
      scrollTo({ top: scrollY + reel.getBoundingClientRect().top - 8, behavior: "smooth" });
    stood = told;
    if (reel.dataset.state === "playing") {
      state.who = reel.dataset.who;
      state.door = reel.dataset.door;
      address();
      for (const side of document.querySelectorAll(".side")) side.classList.toggle("lit", side.id === reel.dataset.place);
      if (reel.dataset.place !== place) look(place = reel.dataset.place);
      if (matchMedia("(max-width: 58rem)").matches) document.querySelector(".told.fresh")?.scrollIntoView({ block: "nearest" });
    } else if (place) {
      place = "";
      for (const side of document.querySelectorAll(".side.lit")) side.classList.remove("lit");
    }
  }

  function look(side) {
    const three = document.querySelector(".three");
    three.dataset.shows = side;
    for (const tab of document.querySelectorAll(".sides a"))
      tab.toggleAttribute("aria-current", tab.dataset.side === side);
  }

  function address() {
    history.replaceState(null, "", `/sandbox?who=${state.who}&door=${state.door}`);
    for (const name of ["who", "door"])
      for (const input of document.querySelectorAll(`.controls input[type="hidden"][name="${name}"]`)) input.value = state[name];
  }

  function choose(what) {
    const [name, value] = what.split("=");
    state[name] = value;
    address();
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(`/sandbox/live?who=${state.who}&door=${state.door}&lang=${root.lang}`);
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of [...page.querySelectorAll("[data-part]")]) put(document.importNode(part, true));
        follow();
      }
    } catch { /* the line is down; the events tell when it is back */ }
    busy = false;
    if (again) { again = false; refresh(); }
  }

  function trouble(text) {
    const line = document.querySelector(".trouble");
    line.textContent = text;
    line.hidden = !text;
  }

  async function send(form, button) {
    const data = new FormData(form, button);
    button?.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(data), headers: { "X-Live": "1" } });
      if (answer.ok) {
        trouble("");
        form.querySelectorAll("textarea, input:not([type=hidden]):not([type=radio])").forEach((each) => { each.value = ""; });
        form.closest("details.menu")?.removeAttribute("open");
        if (form.dataset.then) choose(form.dataset.then);
      } else {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        trouble(page.querySelector(".trouble")?.textContent || answer.statusText);
      }
    } finally {
      button?.removeAttribute("aria-busy");
    }
    refresh();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!("live" in form.dataset)) return;
    event.preventDefault();
    send(form, event.submitter);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-set]"), tab = event.target.closest(".sides a");
    if (link) {
      event.preventDefault();
      choose(link.dataset.set);
      refresh();
    } else if (tab) {
      event.preventDefault();
      look(tab.dataset.side);
    }
    const menu = document.querySelector("details.menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.(".typed textarea");
    if (typing && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) event.target.form.requestSubmit();
    if (event.key === "Escape") document.querySelector("details.menu[open]")?.removeAttribute("open");
  });

  document.querySelectorAll("[data-stick]").forEach(settle);
  follow();
  const line = new EventSource("/sandbox/events");
  line.onmessage = refresh;
  line.onerror = () => root.classList.add("away");
  line.onopen = () => root.classList.remove("away");
})();
