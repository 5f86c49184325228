const PEN = 0.085 // of the canvas, the width of a stroke
const PAUSE = 250 // milliseconds after a key, until the page is told
const STROKES = 40 // that can be taken back

const contextOf = canvas => canvas.getContext("2d", { alpha: false, willReadFrequently: true })
const ground = ({ canvas, data }) => { const c = contextOf(canvas); c.fillStyle = data.ground; c.fillRect(0, 0, canvas.width, canvas.height) }

/** Tell the page what is on the canvas; "" where nothing is. */
function tell(state) {
  clearTimeout(state.timer)
  state.stamp += 1
  state.send("drawn", { picture: state.empty ? "" : state.canvas.toDataURL("image/png"), on: state.on, stamp: state.stamp })
}

/** Before a stroke: an example goes, and what is there can be taken back. */
function begin(state) {
  const { canvas, before } = state
  if (state.on === "example") { ground(state); state.on = "blank"; state.empty = true }
  before.push([contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height), state.empty, state.on])
  if (before.length > STROKES) before.shift()
  state.empty = false
  dress(state)
}

function line(state, from, to) {
  const c = contextOf(state.canvas)
  c.strokeStyle = state.data.inks[state.ink][1]
  c.lineWidth = PEN * Math.max(state.canvas.width, state.canvas.height)
  c.lineCap = c.lineJoin = "round"
  c.beginPath(); c.moveTo(...from); c.lineTo(...to); c.stroke()
}

function undo(state) {
  const last = state.before.pop()
  if (!last) return
  contextOf(state.canvas).putImageData(last[0], 0, 0)
  ;[, state.empty, state.on] = last
  dress(state); tell(state)
}

function clear(state) {
  if (state.empty) return
  begin(state)
  ground(state)
  state.empty = true; state.on = "blank"
  dress(state); tell(state)
}

/** What can be pressed, and where the pen of the keys is. */
function dress(state) {
  const { canvas, nib, at, down, parts } = state
  parts.undo.disabled = !state.before.length
  parts.clear.disabled = state.empty
  state.buttons.forEach((button, i) => { button.setAttribute("aria-checked", i === state.ink); button.tabIndex = i === state.ink ? 0 : -1 })
  nib.style.left = `${100 * at[0] / canvas.width}%`; nib.style.top = `${100 * at[1] / canvas.height}%`
  nib.className = down ? "nib down" : "nib"
  nib.hidden = !state.keys
}

function read(state) {
  const place = state.at.map(value => Math.floor(value / state.data.grain) + 1)
  state.parts.read.textContent = state.keys ? `Pen ${state.down ? "down" : "up"}, column ${place[0]}, row ${place[1]}` : ""
}

function place(state, e) {
  const box = state.canvas.getBoundingClientRect()
  return [(e.clientX - box.left) * state.canvas.width / box.width, (e.clientY - box.top) * state.canvas.height / box.height]
}

function wirePointer(state) {
  const { canvas } = state
  canvas.onpointerdown = e => {
    if (e.button || state.last) return
    lift(state); state.keys = false; read(state)
    canvas.setPointerCapture(e.pointerId)
    begin(state)
    state.last = place(state, e)
    line(state, state.last, state.last)
  }
  canvas.onpointermove = e => {
    if (!state.last) return
    const moves = e.getCoalescedEvents?.() ?? []
    for (const one of moves.length ? moves : [e]) { const to = place(state, one); line(state, state.last, to); state.last = to }
  }
  canvas.onpointerup = canvas.onpointercancel = () => { if (state.last) { state.last = null; tell(state) } }
}

/** The pen of the keys, off the paper. */
function lift(state) {
  if (!state.down) return
  state.down = false
  tell(state)
}

function step(state, [dx, dy], far) {
  const { canvas, at, data } = state, by = data.grain * (far ? 4 : 1)
  const to = [Math.min(canvas.width, Math.max(0, at[0] + dx * by)), Math.min(canvas.height, Math.max(0, at[1] + dy * by))]
  if (state.down) {
    line(state, at, to)
    clearTimeout(state.timer); state.timer = setTimeout(() => tell(state), PAUSE)
  }
  state.at = to
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

function press(state, e) {
  if (ARROWS[e.key]) step(state, ARROWS[e.key], e.shiftKey)
  else if (e.key === " ") {
    if (e.repeat) return true
    if (state.down) lift(state)
    else { begin(state); state.down = true; line(state, state.at, state.at) }
  } else if (e.key === "Delete" || e.key === "Backspace") { state.down = false; clear(state) }
  else if (e.key === "z" && (e.ctrlKey || e.metaKey)) { state.down = false; undo(state) }
  else return false
  return true
}

function wireKeys(state) {
  const { canvas } = state
  canvas.onkeydown = e => {
    if (!press(state, e)) return
    e.preventDefault(); e.stopPropagation()
    state.keys = true; dress(state); read(state)
  }
  canvas.onfocus = () => { state.keys = canvas.matches(":focus-visible"); dress(state); read(state) }
  canvas.onblur = () => { lift(state); state.keys = false; dress(state); read(state) }
}

function pens(state) {
  const { inks } = state.parts
  inks.replaceChildren()
  state.buttons = state.data.inks.map(([name, color], i) => {
    const button = inks.appendChild(document.createElement("button")), dot = button.appendChild(document.createElement("i"))
    button.type = "button"; button.setAttribute("role", "radio"); button.append(name)
    dot.style.background = color
    button.onclick = () => { state.ink = i; dress(state) }
    button.onkeydown = e => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key]
      if (!by) return
      e.preventDefault(); state.ink = (i + by + state.buttons.length) % state.buttons.length
      dress(state); state.buttons[state.ink].focus()
    }
    return button
  })
}

/** Put on the canvas what the page has, pixel by pixel. */
function show(state) {
  const { data, canvas } = state
  Object.assign(state, { stamp: data.stamp, on: data.on, empty: !data.picture, before: [], down: false })
  ground(state)
  dress(state)
  if (!data.picture) return
  const image = new Image(), stamp = data.stamp
  image.onload = () => {
    if (state.stamp !== stamp || state.before.length) return
    const c = contextOf(canvas)
    c.imageSmoothingEnabled = false
    c.drawImage(image, 0, 0, canvas.width, canvas.height)
  }
  image.src = data.picture
}

export default function ({ data, parentElement, setTriggerValue }) {
  const canvas = parentElement.querySelector("canvas"), fresh = !canvas.explorer
  const part = name => parentElement.querySelector(`.${name}`)
  const state = canvas.explorer ??= {
    canvas, nib: part("nib"), parts: { inks: part("inks"), undo: part("undo"), clear: part("clear"), read: part("read"), said: part("said") },
    ink: 0, buttons: [], before: [], stamp: -1, last: null, down: false, keys: false, empty: true, on: "blank",
  }
  Object.assign(state, { data, send: setTriggerValue })
  if (fresh) {
    canvas.width = data.width; canvas.height = data.height
    state.at = [data.width / 2, data.height / 2]
    pens(state); wirePointer(state); wireKeys(state)
    state.parts.undo.onclick = () => undo(state)
    state.parts.clear.onclick = () => clear(state)
  }
  state.parts.said.textContent = data.said
  if (data.stamp > state.stamp) show(state)
}
