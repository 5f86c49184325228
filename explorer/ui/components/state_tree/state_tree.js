const NS = "http://www.w3.org/2000/svg"
const ROW = 26, TOP = 30, FOOT = 26, LEAST = 9 // pixels: between rows, above and below them, and between columns
const HINT = "Steps from the network as loaded. Click a state to go to it."

function add(parent, kind, attributes, text) {
  const node = parent.appendChild(document.createElementNS(NS, kind))
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  if (text !== undefined) node.textContent = text
  return node
}

/** Shares of the width: a column's middle. */
const across = (state, column) => `${100 * (column + 0.5) / state.columns}%`
const down = row => TOP + ROW * row

function draw(state) {
  const { svg, data } = state, { states } = data
  const rows = 1 + Math.max(...states.map(one => one.row))
  state.columns = 1 + Math.max(...states.map(one => one.column))
  state.byNumber = new Map(states.map(one => [one.number, one]))
  svg.replaceChildren()
  svg.setAttribute("aria-label", data.summary)
  svg.setAttribute("height", TOP + ROW * (rows - 1) + FOOT)
  svg.style.minWidth = `${LEAST * state.columns}px`
  for (const one of states) edge(state, one)
  state.nodes = new Map(states.map(one => [one.number, mark(state, one)]))
  steps(state, TOP + ROW * (rows - 1) + FOOT - 4)
}

function edge(state, one) {
  const from = state.byNumber.get(one.parent)
  if (from) add(state.svg, "line", { class: "edge", x1: across(state, from.column), y1: down(from.row), x2: across(state, one.column), y2: down(one.row) })
}

function mark(state, one) {
  const here = one.number === state.data.current, many = state.columns > 60
  const at = { cx: across(state, one.column), cy: down(one.row) }
  const group = add(state.svg, "g", {
    class: "state", role: "treeitem", tabindex: -1, "aria-level": one.column + 1, "aria-label": one.text, "aria-selected": here,
  })
  if (here) add(group, "circle", { ...at, class: "here", r: 10 })
  add(group, "circle", { ...at, class: "hit", r: many ? 6 : 10 })
  stage(group, at, many ? 3.5 : 5, one.stage)
  if (one.label) add(group, "text", { x: at.cx, y: at.cy - 13 }, one.label)
  group.onclick = () => choose(state, one.number)
  group.onpointerenter = group.onfocus = () => { state.read.textContent = one.text }
  group.onpointerleave = group.onblur = () => { hint(state) }
  return group
}

/** What a click does; or why it does nothing. */
function hint(state) {
  state.locked = state.data.locked
  state.read.textContent = state.locked || HINT
}

/** Filled after fine-tuning, open before it, open with a dot where units have gone since. */
function stage(parent, at, r, name) {
  add(parent, "circle", { ...at, class: name === "after fine-tuning" ? "mark tuned" : "mark", r })
  if (name === "pruned after fine-tuning") add(parent, "circle", { ...at, class: "dot", r: 0.45 * r })
}

/** What the marks mean that are there. */
function explain({ key, data }) {
  key.replaceChildren()
  for (const name of data.stages) {
    stage(add(key, "svg", { width: 12, height: 12 }), { cx: 6, cy: 6 }, 4.5, name)
    key.append(name)
  }
}

/** The number of steps under every column, or under every so many where there are too many. */
function steps(state, y) {
  const every = Math.ceil(state.columns / 20)
  for (let column = 0; column < state.columns; column += every) add(state.svg, "text", { class: "step", x: across(state, column), y }, column)
}

/** Scroll sideways, never the page, until the state where one is can be seen. */
function reveal({ svg, columns, byNumber, data }) {
  const view = svg.parentElement, x = svg.clientWidth * (byNumber.get(data.current).column + 0.5) / columns
  if (x < view.scrollLeft || x > view.scrollLeft + view.clientWidth) view.scrollLeft = x - view.clientWidth / 2
}

function choose(state, number) {
  focusable(state, number)
  if (number !== state.data.current && !state.data.locked) state.send("chosen", number)
}

function focusable(state, number) {
  for (const [other, node] of state.nodes) node.tabIndex = other === number ? 0 : -1
  state.focused = number
}

/** Where a key leads to: the parent, the first child, the nearest states in the rows above and below, the ends. */
function target(state, key) {
  const { states } = state.data, from = state.byNumber.get(state.focused)
  const beside = towards => states
    .filter(one => (one.row - from.row) * towards > 0)
    .sort((a, b) => (a.row - b.row) * towards || Math.abs(a.column - from.column) - Math.abs(b.column - from.column))[0]
  return {
    ArrowLeft: () => state.byNumber.get(from.parent), ArrowRight: () => states.find(one => one.parent === from.number),
    ArrowUp: () => beside(-1), ArrowDown: () => beside(1), Home: () => states[0], End: () => states.at(-1),
  }[key]?.()
}

function wire(state) {
  state.svg.onkeydown = event => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(state, state.focused) }
    const next = target(state, event.key)
    if (next || event.key.startsWith("Arrow")) event.preventDefault()
    if (next) { focusable(state, next.number); state.nodes.get(next.number).focus() }
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const svg = parentElement.querySelector(".view svg"), fresh = !svg.explorer
  const state = svg.explorer ??= { svg, read: parentElement.querySelector(".read"), key: parentElement.querySelector(".key") }
  const inside = svg.matches(":focus-within"), moved = state.data?.current !== data.current
  Object.assign(state, { data, send: setTriggerValue })
  if (fresh) wire(state)
  if (fresh || state.locked !== data.locked) hint(state)
  svg.classList.toggle("locked", Boolean(data.locked))
  draw(state)
  explain(state)
  focusable(state, moved || !state.byNumber.has(state.focused) ? data.current : state.focused)
  if (inside) state.nodes.get(state.focused).focus({ preventScroll: true })
  if (moved) reveal(state)
}
