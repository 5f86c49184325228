const dots = { canvas: null }

function scatter() {
  const { oracle } = measured
  if (!oracle) return
  dots.canvas = dots.canvas || add(byId("scatter"), "canvas", { role: "img" })
  const own = criteria[chosen.criterion], side = byId("scatter").clientWidth, n = units.length
  const { canvas } = dots, fine = window.devicePixelRatio || 1
  canvas.width = canvas.height = side * fine
  canvas.setAttribute("aria-label", `Ranks by ${own.title} against ranks by the oracle; ${agreementSaid()}`)
  const pen = canvas.getContext("2d")
  pen.scale(fine, fine)
  const place = rank => 14 + (rank - 1) / Math.max(1, n - 1) * (side - 28)
  pen.strokeStyle = colour("line")
  pen.beginPath()
  pen.moveTo(place(1), side - place(1))
  pen.lineTo(place(n), side - place(n))
  pen.stroke()
  const looks = [colour("kept"), colour("removed")], r = n > 2000 ? 1.5 : 3
  for (let unit = 0; unit < n; unit++) {
    pen.beginPath()
    pen.arc(place(oracle.ranks[unit]), side - place(own.ranks[unit]), r, 0, 7)
    if (isGone(unit)) { pen.strokeStyle = looks[1]; pen.stroke() } else { pen.fillStyle = looks[0]; pen.fill() }
  }
}

const agreementSaid = () => `Spearman's correlation is ${short(measured.agreement[chosen.criterion].all_layers_l2)}.`

function agreement() {
  const { oracle } = measured, box = byId("agreement")
  box.replaceChildren()
  if (!oracle) {
    byId("oracle-note").textContent = measured.missing.join(" ")
    return
  }
  const names = Object.keys(criteria).sort((a, b) => rating(b) - rating(a))
  const rows = names.map(name => [criteria[name].title, ...Object.values(measured.agreement[name]).map(short)])
  table(box, ["Criterion", "Per layer", "All layers", "All, scaled"], rows, names.indexOf(chosen.criterion))
  const exact = oracle.images === oracle.total ? "" : ` ${oracle.images} of ${oracle.total} images are exact, the others linearised.`
  byId("oracle-note").textContent = `Across: the oracle's rank, up: the rank by ${criteria[chosen.criterion].title}; 1, the most `
    + "important, is at the left and at the bottom. Filled: left at this state; rings: gone. The table has Spearman's correlation with "
    + `the oracle, the best first. ${agreementSaid()} Oracle: ${oracle.method}, on ${measured.calibration}.${exact}`
}

const rating = name => measured.agreement[name].all_layers_l2 ?? -2
