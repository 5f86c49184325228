const WAIT = 200

const same = (a, [layer, channel]) => a[0] === layer && a[1] === channel
const has = (state, unit) => state.chosen.some(each => same(each, unit))
const going = (state, layer) => state.chosen.filter(each => each[0] === layer.name).length

/** Why one more unit of this layer can't go; "" where it can. */
function refusal(state, layer) {
  if (state.chosen.length >= state.data.count) return `All ${state.data.count} are chosen: take one back first.`
  return going(state, layer) >= layer.total - 1 ? `${layer.name} keeps at least one unit.` : ""
}

function sentence(state, node) {
  const [layer, channel] = node.unit, also = node.also.map(name => state.data.names[name]).join(" and ")
  return `${layer}, channel ${channel}: ${has(state, node.unit) ? "goes" : "stays"}${also ? `; ${also} chose it too` : ""}`
}

function build(state) {
  state.rows.replaceChildren()
  state.parts = state.data.layers.map(layer => {
    const row = state.template.content.firstElementChild.cloneNode(true), of = kind => row.querySelector(kind)
    row.setAttribute("aria-label", layer.name)
    of(".name").textContent = layer.name
    of(".name").title = layer.name
    of(".name").onclick = () => state.data.single && state.send("layer", layer.name)
    of(".name").disabled = !state.data.single
    row.classList.toggle("open", state.data.single)
    const cells = layer.sheet ? layer.channels.map((channel, place) => cell(layer, channel, place)) : []
    if (layer.sheet) row.style.setProperty("--sheet", `url(${layer.sheet})`)
    of(".cells").append(...cells)
    state.rows.append(row)
    return { layer, cells, going: of(".going"), name: of(".name") }
  })
  state.nodes = state.parts.flatMap(part => part.cells)
}

function cell(layer, channel, place) {
  const node = document.createElement("div"), { columns, rows } = layer
  const x = place % columns, y = Math.floor(place / columns)
  node.className = "cell"
  node.setAttribute("role", "button")
  node.unit = [layer.name, channel]
  node.style.backgroundSize = `${100 * columns}% ${100 * rows}%`
  node.style.backgroundPosition = `${100 * x / Math.max(1, columns - 1)}% ${100 * y / Math.max(1, rows - 1)}%`
  return node
}

function paint(state) {
  const { data, chosen } = state
  state.count.textContent = `${chosen.length} of ${data.count} chosen`
  state.undo.disabled = state.clear.disabled = !chosen.length
  for (const { layer, cells, going: said, name } of state.parts) {
    const gone = going(state, layer)
    said.textContent = gone ? `−${gone} of ${layer.total}` : `${layer.total} units`
    if (data.single) name.setAttribute("aria-expanded", !!layer.sheet)
    cells.forEach(node => dress(state, node, layer))
  }
}

function dress(state, node, layer) {
  const goes = has(state, node.unit)
  node.also = goes ? layer.also[node.unit[1]] ?? [] : []
  node.setAttribute("aria-pressed", goes)
  node.setAttribute("aria-label", sentence(state, node))
  node.replaceChildren()
  if (!node.also.length) return
  const mark = node.appendChild(document.createElement("span"))
  mark.className = "also"
  mark.textContent = node.also.map(name => state.data.names[name][0].toUpperCase()).join("")
}

/** The page hears of all choices at once, a moment after the last. */
function choose(state, chosen) {
  state.chosen = chosen
  state.stamp += 1
  clearTimeout(state.timer)
  const { stamp } = state
  state.timer = setTimeout(() => state.send("chosen", { units: chosen, stamp }), WAIT)
  paint(state)
}

function toggle(state, node) {
  const layer = state.data.layers.find(each => each.name === node.unit[0])
  if (has(state, node.unit)) choose(state, state.chosen.filter(each => !same(each, node.unit)))
  else {
    const why = refusal(state, layer)
    if (why) { state.read.textContent = why; return }
    choose(state, [...state.chosen, node.unit])
  }
  read(state, node)
}

const read = (state, node) => { state.read.textContent = node ? sentence(state, node) : "" }

function focusable(state, node) {
  for (const other of state.nodes) other.tabIndex = other === node ? 0 : -1
  state.last = node?.unit
}

/** The cell that a key leads to: the next one, the ends of all, or the nearest in the line above or below. */
function target(state, node, key) {
  const { nodes } = state, place = nodes.indexOf(node)
  if (key === "ArrowRight") return nodes[place + 1]
  if (key === "ArrowLeft") return nodes[place - 1]
  if (key === "Home" || key === "End") return nodes.at(key === "Home" ? 0 : -1)
  const here = node.getBoundingClientRect(), down = key === "ArrowDown" ? 1 : -1
  const far = other => { const at = other.getBoundingClientRect(); return [down * (at.top - here.top), Math.abs(at.left - here.left)] }
  const beyond = nodes.map(other => [other, ...far(other)]).filter(([, y]) => y > 1)
  return beyond.sort((a, b) => a[1] - b[1] || a[2] - b[2])[0]?.[0]
}

function wire(state) {
  const of = event => event.target.closest(".cell"), { rows } = state
  rows.onclick = event => { const node = of(event); if (node) { focusable(state, node); node.focus({ preventScroll: true }); toggle(state, node) } }
  rows.onpointerover = event => read(state, of(event))
  rows.onpointerleave = () => read(state, null)
  rows.addEventListener("focusin", event => read(state, of(event)))
  rows.onkeydown = event => {
    const node = of(event)
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(state, node) }
    if (event.key === "Backspace") { event.preventDefault(); choose(state, state.chosen.slice(0, -1)) }
    if (!/^(Arrow|Home|End)/.test(event.key)) return
    event.preventDefault()
    const next = target(state, node, event.key)
    if (next) { focusable(state, next); next.focus() }
  }
  state.undo.onclick = () => choose(state, state.chosen.slice(0, -1))
  state.clear.onclick = () => choose(state, [])
}

export default function ({ data, parentElement, setTriggerValue }) {
  const find = kind => parentElement.querySelector(kind), rows = find(".rows"), fresh = !rows.explorer
  const state = rows.explorer ??= {
    rows, template: find("template"), count: find(".count"), undo: find(".undo"), clear: find(".clear"), read: find(".read"),
    stamp: -1, chosen: [], shape: "",
  }
  Object.assign(state, { data, send: setTriggerValue })
  if (data.stamp >= state.stamp) Object.assign(state, { chosen: data.chosen, stamp: data.stamp })
  const shape = data.layers.map(layer => [layer.name, layer.sheet].join()).join("|")
  if (shape !== state.shape) {
    state.shape = shape
    const { last } = state
    build(state)
    focusable(state, state.nodes.find(node => last && same(last, node.unit)) ?? state.nodes[0])
  } else state.parts.forEach((part, i) => { part.layer = data.layers[i] })
  paint(state)
  if (fresh) { wire(state); read(state, null) }
}
