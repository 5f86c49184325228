/** What a state changes: everything that tells kept from gone. */
function show() {
  byId("state").value = view.step
  const said = `${view.step} of ${view.path.length - 1}, state ${title(view.path[view.step])}; ${measured.stages[view.path[view.step]].said}`
  byId("said").textContent = byId("said").title = said
  byId("state").setAttribute("aria-valuetext", said)
  facts(), strip(), curve(), distributions(), scatter(), markUnits(), plan()
}

function moveTo(step) {
  view.step = Number(step)
  show()
}

function showCriterion(name) {
  chosen.criterion = name
  saliencyNotes(), distributions(), ranks(), agreement(), scatter()
}

function begin() {
  goTo(run.timeline.current)
  choices("end", ends().map(number => [number, title(number)]), run.timeline.current, number => { goTo(number); show() })
  byId("ends-label").hidden = ends().length < 2
  choices("quantity", Object.entries(QUANTITIES), view.quantity, name => { view.quantity = name; curve() })
  choices("against", Object.entries(AGAINST), view.against, name => { view.against = name; curve() })
  choices("criterion", Object.entries(criteria).map(([name, one]) => [name, one.title]), chosen.criterion, showCriterion)
  choices("layer", layers.map((layer, place) => [place, layer.name]), 0, place => showLayer(Number(place)))
  byId("distributions").classList.toggle("many", layers.length > 30)
  for (const text of measured.missing) add(byId("missing"), "li", {}, text)
  byId("missing-part").hidden = !measured.missing.length
  byId("state").oninput = event => moveTo(event.target.value)
  window.onresize = () => { curve(), scatter() }
  matchMedia("(prefers-color-scheme: dark)").onchange = scatter
  showLayer(0), unitNotes(), curveNote(), showCriterion(chosen.criterion), show()
}

begin()
