const make = (name, parent) => { const node = document.createElement("div"); node.className = name; parent.appendChild(node); return node }

function build(columns, data) {
  columns.replaceChildren()
  return data.columns.map((_, i) => {
    const link = i && data.columns.length <= 40 ? make("link", columns) : null
    const column = make("column", columns), ghost = make("ghost", make("area", column)), kept = make("kept", ghost)
    const label = make("label", column)
    const name = label.appendChild(document.createElement("b")), count = label.appendChild(document.createElement("span"))
    column.setAttribute("role", "option")
    return { link, column, ghost, kept, name, count }
  })
}

/** Half the free height above a column's kept part, in per cent: where the ribbon to its neighbour starts. */
const inset = c => 50 * (1 - c.height * c.kept / c.total)

function fill(part, column, before, selected) {
  part.ghost.style.height = `${100 * column.height}%`
  part.kept.style.height = `${100 * column.kept / column.total}%`
  part.kept.style.backgroundColor = column.color
  part.name.textContent = column.name
  part.count.textContent = column.kept === column.total ? column.total : `${column.kept}/${column.total}`
  part.column.setAttribute("aria-label", column.text)
  part.column.setAttribute("aria-selected", selected)
  if (!part.link) return
  const a = inset(before), b = inset(column)
  part.link.style.clipPath = `polygon(0 ${a}%, 100% ${b}%, 100% ${100 - b}%, 0 ${100 - a}%)`
  part.link.style.background = `linear-gradient(90deg, ${before.color}, ${column.color})`
}

function focusable(state, index) {
  state.parts.forEach((part, i) => { part.column.tabIndex = i === index ? 0 : -1 })
  state.index = index
}

function wire(state) {
  const { parts, read } = state
  const show = i => { read.textContent = i === null ? state.data.summary : state.data.columns[i].text }
  const choose = i => state.send("chosen", state.data.columns[i].name)
  const go = i => { focusable(state, i); parts[i].column.focus({ preventScroll: true }) }
  const keys = { ArrowRight: i => i + 1, ArrowLeft: i => i - 1, Home: () => 0, End: () => parts.length - 1 }
  parts.forEach(({ column }, i) => {
    column.onpointerenter = column.onfocus = () => show(i)
    column.onpointerleave = column.onblur = () => show(null)
    column.onclick = () => { focusable(state, i); choose(i) }
    column.onkeydown = e => {
      if (e.key === "Enter" || e.key === " ") { e.preventDefault(); choose(i) }
      if (!(e.key in keys)) return
      e.preventDefault(); go(Math.min(parts.length - 1, Math.max(0, keys[e.key](i))))
    }
  })
}

export default function ({ data, parentElement, setTriggerValue }) {
  const columns = parentElement.querySelector(".columns")
  const state = columns.explorer ??= { read: parentElement.querySelector(".read"), index: 0 }
  const names = data.columns.map(c => c.name).join("\n")
  state.data = data
  state.send = setTriggerValue
  if (state.names !== names) { state.names = names; state.parts = build(columns, data); wire(state); focusable(state, 0) }
  const selected = data.columns.findIndex(c => c.name === data.selected)
  if (selected >= 0 && !columns.matches(":focus-within")) focusable(state, selected)
  columns.setAttribute("aria-label", data.summary)
  columns.style.setProperty("gap", data.columns.length > 40 ? "1px" : "0")
  state.parts.forEach((part, i) => fill(part, data.columns[i], data.columns[i - 1], i === selected))
  const under = state.parts.findIndex(({ column }) => column.matches(":hover, :focus"))
  state.read.textContent = under < 0 ? data.summary : data.columns[under].text
  parentElement.querySelector(".key i").style.background = `linear-gradient(90deg, ${data.scale.join(", ")})`
  parentElement.querySelector(".key .top").textContent = data.top
}
