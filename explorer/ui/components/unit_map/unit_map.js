const GOES = 1, BELOW = 2, REMOVED = 4, WAIT = 250
const HINT = "Click a unit: it stays whatever its saliency. Again: it goes. Again: it is free."

const has = (chosen, layer, channel) => (chosen[layer] ?? []).includes(channel)
const without = (chosen, layer, channel) => ({ ...chosen, [layer]: (chosen[layer] ?? []).filter(c => c !== channel) })
const withOne = (chosen, layer, channel) => ({ ...chosen, [layer]: [...(chosen[layer] ?? []), channel] })

/** What was chosen for a unit: "stay", "go", or nothing. */
const mark = (state, layer, channel) => has(state.stay, layer, channel) ? "stay" : has(state.go, layer, channel) ? "go" : ""
const locked = (state, layer) => state.locked.includes(layer)

/** Whether a unit goes: as the page has worked it out, or at once after a click, until the page has. */
function goes(state, layer, [channel, bits]) {
  if (!state.edited.has(`${layer}:${channel}`)) return !!(bits & GOES)
  const chosen = mark(state, layer, channel)
  return chosen ? chosen === "go" : !!(bits & BELOW)
}

function sentence(state, layer, cell) {
  const [channel, bits, saliency] = cell, name = `${layer}, channel ${channel}`
  if (bits & REMOVED) return `${name}: already removed`
  const now = goes(state, layer, cell) ? "goes" : "stays"
  const why = locked(state, layer) ? "its layer is locked"
    : { stay: "chosen to stay", go: now === "goes" ? "chosen to go" : "chosen to go, but the limits keep it" }[mark(state, layer, channel)]
    ?? (bits & BELOW ? now === "goes" ? "below the line" : "below the line, but the limits keep it" : "not below a line")
  return `${name}: saliency ${saliency}, ${now}, ${why}`
}

function build(state) {
  const { rows, data, template } = state
  rows.replaceChildren()
  state.parts = data.layers.map(layer => {
    const row = template.content.firstElementChild.cloneNode(true), of = kind => row.querySelector(kind)
    const part = { row, name: of(".name"), lock: of(".lock"), count: of(".count"), box: of(".cells"), cells: [] }
    for (const cell of layer.cells ?? []) {
      const node = part.box.appendChild(document.createElement("div"))
      node.setAttribute("role", "button"); node.tabIndex = -1; node.at = [layer.name, cell]
      part.cells.push(node)
    }
    if (!layer.cells) bar(part.box, layer)
    part.name.onclick = () => state.send("layer", layer.name)
    part.lock.onclick = () => lock(state, layer.name)
    rows.appendChild(row)
    return part
  })
  state.nodes = state.parts.flatMap(part => part.cells)
}

function bar(box, { total, gone, going }) {
  const all = box.appendChild(document.createElement("div"))
  all.className = "bar"
  for (const [kind, count] of [["kept", total - gone - going], ["going", going], ["gone", gone]]) {
    const piece = all.appendChild(document.createElement("i"))
    piece.className = kind; piece.style.width = `${100 * count / total}%`
  }
}

function paint(state) {
  state.data.layers.forEach((layer, i) => {
    const { row, name, lock, count, cells } = state.parts[i], shut = locked(state, layer.name)
    row.className = `row${shut ? " locked" : ""}${layer.name === state.data.selected ? " selected" : ""}`
    row.setAttribute("aria-label", layer.name)
    name.textContent = layer.name
    name.setAttribute("aria-label", `Threshold for ${layer.name}`)
    lock.setAttribute("aria-label", `Lock ${layer.name}`)
    lock.setAttribute("aria-pressed", shut)
    lock.title = shut ? "Locked: loses nothing" : "Lock: it shall lose nothing"
    const going = layer.going ? `−${layer.going} of ${layer.total - layer.gone}` : `${layer.total - layer.gone}`
    count.textContent = going + (layer.gone ? `, ${layer.gone} removed` : "") + (layer.line ? `, own line ${layer.line}` : "")
    cells.forEach(node => dress(state, node))
  })
}

function dress(state, node) {
  const [layer, cell] = node.at, gone = cell[1] & REMOVED
  const kinds = gone ? ["removed"] : [goes(state, layer, cell) && !locked(state, layer) ? "goes" : "", mark(state, layer, cell[0])]
  node.className = ["cell", ...kinds].filter(Boolean).join(" ")
  node.setAttribute("aria-label", sentence(state, layer, cell))
  node.setAttribute("aria-disabled", !!gone || locked(state, layer))
}

/** All choices go to the page at once, a moment after the last of them. */
function tell(state) {
  state.stamp += 1
  clearTimeout(state.timer)
  state.timer = setTimeout(() => {
    const { stay, go, locked: shut, stamp } = state
    state.send("chosen", { stay, go, locked: shut, stamp })
  }, WAIT)
}

function lock(state, layer) {
  state.locked = locked(state, layer) ? state.locked.filter(name => name !== layer) : [...state.locked, layer]
  tell(state); paint(state)
}

function cycle(state, node) {
  const [layer, cell] = node.at, channel = cell[0]
  if (cell[1] & REMOVED || locked(state, layer)) return
  const chosen = mark(state, layer, channel)
  state.stay = chosen === "" ? withOne(state.stay, layer, channel) : without(state.stay, layer, channel)
  state.go = chosen === "stay" ? withOne(state.go, layer, channel) : without(state.go, layer, channel)
  state.edited.add(`${layer}:${channel}`)
  tell(state); dress(state, node); read(state, node)
}

const read = (state, node) => { state.read.textContent = node ? sentence(state, ...node.at) : HINT }

function focusable(state, node) {
  for (const other of state.nodes) other.tabIndex = other === node ? 0 : -1
  state.last = node?.at[0] + ":" + node?.at[1][0]
}

/** The cell that a key leads to: neighbours, the ends of the layer, or the layers above and below. */
function target(state, node, key) {
  const all = state.nodes, own = state.parts.filter(part => part.cells.length), i = own.findIndex(part => part.cells.includes(node))
  const cells = own[i].cells, place = cells.indexOf(node)
  const other = part => part && part.cells[Math.min(place, part.cells.length - 1)]
  return {
    ArrowRight: () => all[all.indexOf(node) + 1], ArrowLeft: () => all[all.indexOf(node) - 1],
    ArrowDown: () => other(own[i + 1]), ArrowUp: () => other(own[i - 1]), Home: () => cells[0], End: () => cells.at(-1),
  }[key]?.()
}

function wire(state) {
  const cellOf = e => e.target.closest(".cell")
  const { rows } = state
  rows.onclick = e => { const node = cellOf(e); if (node) { focusable(state, node); node.focus({ preventScroll: true }); cycle(state, node) } }
  rows.onpointerover = e => read(state, cellOf(e))
  rows.onpointerleave = () => read(state, null)
  rows.addEventListener("focusin", e => read(state, cellOf(e)))
  rows.onkeydown = e => {
    const node = cellOf(e)
    if (!node) return
    if (e.key === "Enter" || e.key === " ") { e.preventDefault(); cycle(state, node) }
    const next = target(state, node, e.key)
    if (next || e.key.startsWith("Arrow")) e.preventDefault()
    if (next) { focusable(state, next); next.focus() }
  }
}

/** What has to be the same for the cells that are there to be kept, and only dressed anew. */
const shape = layers => layers.map(({ name, cells, going, gone }) => [name, cells ? cells.map(c => c[0]) : [going, gone]].join()).join("|")

function renew(state) {
  const now = shape(state.data.layers)
  if (now !== state.shape) {
    build(state)
    focusable(state, state.nodes.find(node => `${node.at[0]}:${node.at[1][0]}` === state.last) ?? state.nodes[0])
  }
  state.shape = now
  state.data.layers.forEach((layer, i) => state.parts[i].cells.forEach((node, j) => { node.at[1] = layer.cells[j] }))
}

export default function ({ data, parentElement, setTriggerValue }) {
  const rows = parentElement.querySelector(".rows"), fresh = !rows.explorer
  const state = rows.explorer ??= {
    rows, template: parentElement.querySelector("template"), read: parentElement.querySelector(".read"),
    stamp: data.stamp, edited: new Set(), last: "",
  }
  Object.assign(state, { data, send: setTriggerValue })
  if (data.stamp >= state.stamp) {
    Object.assign(state, { stay: data.stay, go: data.go, locked: data.locked, stamp: data.stamp })
    state.edited.clear()
  }
  renew(state)
  paint(state)
  if (fresh) { wire(state); read(state, null) }
}
