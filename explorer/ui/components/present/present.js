const PICTURES = "[data-testid=stPlotlyChart], [data-testid^=stBidiComponent], [data-testid=stHtml], [data-testid=stTable]"
const NOT = ".st-key-strip, .st-key-present, .st-key-blank, :has(.state-bar), [data-testid=stDialog] *"
const LEAST = 100, WIDEST = 860, LARGEST = 3, TALL = 1.4  // pixels of height; of width, so that type gets large; times, and where it is scrolled
const FIELD = "input, textarea, select, [contenteditable=true], [role=combobox], [role=listbox], [role=dialog]"
const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1, Home: -Infinity, End: Infinity }

const one = (root, what) => root.querySelector(`[data-testid=${what}]`)
const words = node => node?.textContent.replace(/\s+/g, " ").trim() ?? ""

/** The elements of the page that are pictures, in their order. */
function pictures() {
  const all = document.querySelectorAll("[data-testid=stMain] [data-testid=stElementContainer]")
  return [...all].filter(node => node.querySelector(PICTURES) && !node.matches(NOT) && (node.hasAttribute("data-presented") || node.offsetHeight >= LEAST))
}

/** The nearest element beside this one, or beside what it lies in, of which `found` tells something. */
function beside(node, way, found) {
  for (let each = node; each && !each.matches("[data-testid=stMain]"); each = each.parentElement)
    for (let other = each[way]; other; other = other[way]) {
      const text = found(other)
      if (text !== undefined) return text
    }
  return ""
}

const heading = node => beside(node, "previousElementSibling", other => {
  const all = [...other.querySelectorAll("[data-testid=stHeading]")]
  const nearest = other.matches("[data-testid=stColumn]") ? all[0] : all.at(-1)
  return nearest && words(nearest.querySelector("h1, h2, h3") ?? nearest)
}) || words(document.querySelector(".page-name"))

/** The first caption below a picture and before the next one; else what is said to those who can't see it. */
function sentence(node) {
  const below = beside(node, "nextElementSibling", other => {
    if (other.matches("[data-testid=stColumn]")) return ""
    const caption = one(other, "stCaptionContainer")
    if (caption) return words(caption)
    return one(other, "stHeading") || other.querySelector(PICTURES) ? "" : undefined
  })
  return below || node.querySelector("[role=figure]")?.getAttribute("aria-label") || ""
}

function address(place) {
  const url = new URL(location.href)
  for (const name of ["view", "picture"]) url.searchParams.delete(name)
  if (place >= 0) { url.searchParams.set("view", "present"); url.searchParams.set("picture", place + 1) }
  history.replaceState(history.state, "", url)
}

function lower(view) {
  for (const node of document.querySelectorAll("[data-presented]")) node.removeAttribute("data-presented")
  view.shown = null
}

/** Lay the picture out as wide as makes its type large, and scale it into the place between the words. */
function fit(view) {
  const { shown, panel } = view, inner = shown?.firstElementChild
  if (!inner) return
  const style = document.body.style, set = (name, value) => style.setProperty(`--present-${name}`, value)
  const top = panel.querySelector("h2").getBoundingClientRect().bottom + 12
  const height = panel.lastElementChild.getBoundingClientRect().top - top - 12
  const width = shown.clientWidth - 8  // within its padding, beside a scroll bar
  const natural = Math.min(width, WIDEST, Math.max(view.natural, 320))
  set("top", `${top}px`); set("height", `${height}px`); set("width", `${natural}px`); set("tall", view.tall)
  const tall = Math.max(inner.offsetHeight, 1)
  const scale = Math.min(width / natural, LARGEST, height < tall ? TALL : height / tall)
  set("scale", scale)
  set("left", `${Math.max(0, (width - natural * scale) / 2)}px`)
  set("down", `${Math.max(0, (height - tall * scale) / 2)}px`)
}

function show(view, place) {
  const all = pictures()
  view.place = Math.max(0, Math.min(all.length - 1, place))
  const node = all[view.place], { panel } = view
  const find = what => panel.querySelector(what)
  if (node !== view.shown) {
    lower(view)
    view.natural = node?.offsetWidth ?? 0
    view.tall = node && one(node, "stPlotlyChart") ? `${node.offsetHeight}px` : "auto"
    view.shown = node
  }
  node?.setAttribute("data-presented", "")
  find("h2").textContent = node ? heading(node) : words(document.querySelector(".page-name"))
  find("p").textContent = node ? sentence(node) : "This page has no picture to present yet."
  find("span").textContent = node ? `${view.place + 1} of ${all.length}` : ""
  find("[data-do=back]").disabled = view.place <= 0
  find("[data-do=next]").disabled = view.place >= all.length - 1
  if (node && view.asked !== view.place) { view.asked = view.place; address(view.place) }
  view.sizes.disconnect()
  if (node?.firstElementChild) view.sizes.observe(node.firstElementChild)
  fit(view)
}

function begin(view, place) {
  if (view.panel) return
  view.panel = view.template.content.firstElementChild.cloneNode(true)
  view.panel.onclick = event => act(view, event.target.closest("[data-do]")?.dataset.do)
  document.body.append(view.panel)
  document.body.classList.add("presenting")
  view.before = document.activeElement
  view.panel.focus({ preventScroll: true })
  view.asked = -1
  view.wanted = place
  show(view, place)
  address(view.place)
  view.changes.observe(document.querySelector("[data-testid=stMain]"), { childList: true, subtree: true })
}

function leave(view) {
  view.changes.disconnect()
  view.sizes.disconnect()
  lower(view)
  view.panel.remove()
  view.panel = null
  document.body.classList.remove("presenting")
  if (document.fullscreenElement) document.exitFullscreen()
  address(-1)
  view.before?.focus?.({ preventScroll: true })
  dispatchEvent(new Event("resize"))
}

function act(view, what) {
  if (what === "next" || what === "back") walk(view, what === "next" ? 1 : -1)
  if (what === "leave") leave(view)
  if (what === "fill") document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()
}

function walk(view, by) {
  const last = pictures().length - 1
  view.wanted = Math.max(0, Math.min(last, view.place + by))
  show(view, view.wanted)
}

function press(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const at = event.composedPath().filter(node => node instanceof Element)
  if (!view.panel) {
    if (event.key.toLowerCase() !== "p" || at.some(node => node.matches(FIELD)) || one(document, "stDialog")) return
    begin(view, 0)
  } else if (event.key === "Escape") leave(view)
  else if (at.some(node => node === view.shown)) return  // the picture's own keys
  else if (event.key in STEPS) walk(view, STEPS[event.key])
  else if (event.key.toLowerCase() === "f") act(view, "fill")
  else return
  event.preventDefault()
  event.stopPropagation()
}

/** One view a browser tab, whatever pages are drawn in it. */
function make() {
  const view = { panel: null, place: 0, wanted: 0, shown: null }
  let due = 0
  const again = () => { cancelAnimationFrame(due); due = requestAnimationFrame(() => view.panel && show(view, view.wanted)) }
  view.changes = new MutationObserver(again)
  view.sizes = new ResizeObserver(() => view.panel && fit(view))
  addEventListener("resize", () => view.panel && fit(view))
  document.addEventListener("keydown", event => press(view, event), true)
  return view
}

export default function ({ parentElement }) {
  const view = window.explorerPresenter ??= make()
  view.template = parentElement.querySelector("template")
  parentElement.querySelector(".begin").onclick = () => begin(view, 0)
  const asked = new URLSearchParams(location.search)
  if (asked.get("view") === "present") begin(view, Math.max(0, Number(asked.get("picture") ?? 1) - 1) || 0)
}
