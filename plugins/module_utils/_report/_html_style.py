# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The look of ``report.html``: one style sheet, system fonts, light and dark, screen and paper.

Every pair of text and background has a contrast of 4.5:1 or more in both themes (WCAG 2.2, 1.4.3), which a test measures in a browser.
"""

from __future__ import annotations

_LIGHT = """
  --page: #f4f5f7; --sheet: #ffffff; --sunk: #f0f2f5; --line: #d5dae1; --strong-line: #8a94a3;
  --ink: #1a212b; --soft: #4c5766; --link: #0b5394; --focus: #0b5394;
  --blocker: #98101c; --blocker-bg: #fdebec; --error: #9c3a05; --error-bg: #fdf0e4; --warning: #6d5200; --warning-bg: #fcf5d9;
  --info: #1d5480; --info-bg: #e8f2fb; --ok: #17603a; --ok-bg: #e5f4ea; --unknown: #54407f; --unknown-bg: #f1edf9;
  --muted-bg: #e9ecf0; --bar: #7f93ab; --bar-added: #b45309;
"""
_DARK = """
  --page: #11151a; --sheet: #191f26; --sunk: #141a20; --line: #333d49; --strong-line: #7b8797;
  --ink: #e6eaef; --soft: #abb6c3; --link: #8fc1f0; --focus: #8fc1f0;
  --blocker: #ffa3a6; --blocker-bg: #401b1f; --error: #ffb783; --error-bg: #3d2413; --warning: #ecd07a; --warning-bg: #352c10;
  --info: #9dcbf3; --info-bg: #172c3e; --ok: #8fd6a8; --ok-bg: #16301f; --unknown: #c9b8f0; --unknown-bg: #2a2340;
  --muted-bg: #262f39; --bar: #5f758f; --bar-added: #f0a24e;
"""

_BASE = """
*, *::before, *::after { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5; font-size: 1rem;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "DejaVu Sans", Arial, sans-serif; overflow-wrap: break-word; }
code, .mono, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace; font-size: .9em; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; text-wrap: balance; }
h1 { font-size: clamp(1.3rem, 4.5vw, 1.9rem); line-height: 1.2; letter-spacing: -.015em; font-weight: 700; }
h1 .eyebrow { display: block; font-size: .9rem; font-weight: 600; color: var(--soft); letter-spacing: .01em; margin-bottom: .15rem; }
h2 { font-size: 1.35rem; font-weight: 650; letter-spacing: -.01em; }
h3 { font-size: 1.08rem; font-weight: 650; }
h4 { font-size: .92rem; font-weight: 650; }
p { margin: 0; max-width: 75ch; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; background: var(--sheet); padding: .5rem 1rem; z-index: 2; }
.skip:focus { left: .5rem; top: .5rem; }
.soft { color: var(--soft); } .small { font-size: .875rem; } .nowrap { white-space: nowrap; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
"""

_LAYOUT = """
.page { max-width: 90rem; margin: 0 auto; padding: 1.25rem 1rem 4rem; display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr); }
header.top { display: grid; gap: 1rem; }
.verdict { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .25rem 1rem; align-items: center; padding: 1.15rem 1.25rem;
  border: 1px solid var(--line); border-left: .5rem solid; border-radius: .6rem; background: var(--sheet); }
.verdict .sign { grid-row: span 2; } .verdict svg { width: 3rem; height: 3rem; display: block; }
@media (max-width: 36rem) { .verdict .sign { grid-row: span 1; } .verdict .summary { grid-column: 1 / -1; } }
.tiles { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; grid-template-columns: repeat(auto-fit, minmax(7.2rem, 1fr)); }
.tiles li { background: var(--sheet); border: 1px solid var(--line); border-radius: .5rem; padding: .55rem .8rem .6rem; display: grid; align-content: start; }
.tiles b { font-size: 1.55rem; line-height: 1.2; font-variant-numeric: tabular-nums; font-weight: 650; }
.tiles span { font-size: .84rem; color: var(--soft); }
.tiles li.none b { color: var(--soft); font-weight: 400; }
nav.contents { background: var(--sheet); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; align-self: start; }
nav.contents ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; }
nav.contents a { display: inline-block; padding: .18rem 0; text-decoration: none; }
nav.contents a:hover { text-decoration: underline; }
nav.contents small { color: var(--soft); font-size: .84rem; }
main { display: grid; gap: 2.25rem; min-width: 0; grid-template-columns: minmax(0, 1fr); }
section { display: grid; gap: .9rem; min-width: 0; grid-template-columns: minmax(0, 1fr); scroll-margin-top: 1rem; }
section > .lead { color: var(--soft); }
.sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.15rem; min-width: 0; display: grid; gap: .7rem;
  grid-template-columns: minmax(0, 1fr); }
footer.bottom { color: var(--soft); font-size: .875rem; border-top: 1px solid var(--line); padding-top: 1rem; }
@media (min-width: 75rem) {
  .page { grid-template-columns: 13rem minmax(0, 1fr); column-gap: 2.25rem; padding: 2rem 2rem 4rem; }
  header.top, footer.bottom { grid-column: 1 / -1; }
  nav.contents { position: sticky; top: 1rem; padding: .9rem 1rem; }
  nav.contents ul { display: grid; gap: .1rem; }
}
"""

_PARTS = """
.badge { display: inline-flex; align-items: center; gap: .35em; border-radius: 2rem; padding: .08rem .6rem; font-size: .8rem; font-weight: 650;
  white-space: nowrap; border: 1px solid currentcolor; }
.badge svg { width: .8em; height: .8em; flex: none; }
.s-blocker { color: var(--blocker); background: var(--blocker-bg); } .s-error { color: var(--error); background: var(--error-bg); }
.s-warning { color: var(--warning); background: var(--warning-bg); } .s-info { color: var(--info); background: var(--info-bg); }
.s-ok { color: var(--ok); background: var(--ok-bg); } .s-unknown, .s-unread { color: var(--unknown); background: var(--unknown-bg); }
.s-plain { color: var(--soft); background: var(--muted-bg); }
.edge-blocker { border-left-color: var(--blocker); } .edge-error { border-left-color: var(--error); } .edge-warning { border-left-color: var(--warning); }
.edge-info { border-left-color: var(--info); } .edge-ok { border-left-color: var(--ok); } .edge-unknown { border-left-color: var(--unknown); }
.ink-blocker { color: var(--blocker); } .ink-error { color: var(--error); } .ink-warning { color: var(--warning); } .ink-ok { color: var(--ok); }
.ink-unknown { color: var(--unknown); } .ink-info { color: var(--info); }
.finding { border-left: .35rem solid var(--strong-line); }
.finding.edge-blocker { border-left-color: var(--blocker); } .finding.edge-error { border-left-color: var(--error); }
.finding.edge-warning { border-left-color: var(--warning); } .finding.edge-info { border-left-color: var(--info); }
.finding.edge-unknown { border-left-color: var(--unknown); }
.meta { display: flex; flex-wrap: wrap; gap: .35rem .7rem; align-items: center; font-size: .9rem; color: var(--soft); }
.meta b { color: var(--ink); font-weight: 600; } .meta > *, .lines li, .columns li { min-width: 0; overflow-wrap: anywhere; }
details > summary { cursor: pointer; }
details > summary > h3, details > summary > h4 { display: inline; }
details.sheet { display: block; } details.sheet > *:not(summary) { margin-top: .7rem; }
details.sheet > summary .meta { display: inline-flex; vertical-align: middle; }
details.plain > summary { color: var(--link); width: fit-content; max-width: 100%; }
details.plain > *:not(summary) { margin-top: .6rem; }
.remedy { background: var(--sunk); border-radius: .45rem; padding: .75rem .95rem; display: grid; gap: .45rem; grid-template-columns: minmax(0, 1fr); }
.remedy pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.caution { font-weight: 600; }
ul.lines, ol.lines { margin: 0; padding-left: 1.2rem; display: grid; gap: .3rem; grid-template-columns: minmax(0, 1fr); }
.columns { display: grid; gap: .2rem 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); list-style: none; margin: 0; padding: 0; }
.scroll { overflow-x: auto; max-width: 100%; position: relative; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .35rem; }
th, td { text-align: left; vertical-align: top; padding: .38rem .9rem .38rem 0; border-top: 1px solid var(--line); }
thead th { font-size: .8rem; color: var(--soft); font-weight: 600; border-top: 0; white-space: nowrap; }
tbody th { font-weight: 600; } tbody th.short { white-space: nowrap; }
table.evidence { table-layout: fixed; } table.evidence thead th:nth-child(1) { width: 24%; } table.evidence thead th:nth-child(2) { width: 42%; }
td.value { overflow-wrap: anywhere; min-width: 7rem; } td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td .object, td .field { display: block; overflow-wrap: anywhere; }
@media (max-width: 36rem) {
  .sheet { padding: .85rem .85rem; }
  table.stack thead { display: block; position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.stack, table.stack tbody, table.stack tr, table.stack td, table.stack th, table.stack caption { display: block; }
  table.stack tr { border-top: 1px solid var(--line); padding: .45rem 0; }
  table.stack td, table.stack tbody th { border: 0; padding: .1rem 0; }
  table.stack td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); font-size: .84rem; }
}
"""

_DRAWN = """
svg text { font-family: inherit; fill: var(--ink); }
svg .soft-text { fill: var(--soft); } svg .mono-text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.map svg { display: block; width: 100%; height: auto; }
.map .wide { display: none; } .map .wide svg { min-width: 38rem; }
@media (min-width: 48rem), print { .map .wide { display: block; } .map .narrow { display: none; } }
.map.ring .wide { display: block; }
.box { fill: var(--sheet); stroke: var(--strong-line); stroke-width: 1.5; } .box.ghost { stroke-dasharray: 6 5; fill: var(--page); }
.box.blocker { stroke: var(--blocker); stroke-width: 2.5; } .box.error { stroke: var(--error); stroke-width: 2.5; }
.box.unread, .box.unknown { stroke: var(--unknown); }
.pill { stroke-width: 1; }
.pill.blocker { fill: var(--blocker-bg); stroke: var(--blocker); } .pill.error { fill: var(--error-bg); stroke: var(--error); }
.pill.warning { fill: var(--warning-bg); stroke: var(--warning); } .pill.info { fill: var(--info-bg); stroke: var(--info); }
.pill.ok { fill: var(--ok-bg); stroke: var(--ok); } .pill.unknown, .pill.unread { fill: var(--unknown-bg); stroke: var(--unknown); }
.pill.plain { fill: var(--muted-bg); stroke: var(--strong-line); }
svg text.blocker, svg tspan.blocker { fill: var(--blocker); } svg text.error, svg tspan.error { fill: var(--error); } svg text.info { fill: var(--info); }
svg text.warning, svg tspan.warning { fill: var(--warning); }
svg text.ok { fill: var(--ok); } svg text.unknown, svg text.unread, svg tspan.unknown, svg tspan.unread { fill: var(--unknown); }
svg tspan.plain { fill: var(--soft); }
.tunnel { fill: none; stroke-width: 2.5; stroke-linecap: round; }
.tunnel.ok { stroke: var(--ok); } .tunnel.warning { stroke: var(--warning); stroke-dasharray: 9 6; }
.tunnel.error { stroke: var(--blocker); stroke-dasharray: 2 7; }
.tunnel.blocked { stroke: var(--blocker); } .tunnel.unknown { stroke: var(--unknown); stroke-dasharray: 4 6; stroke-width: 1.5; }
.tunnel.thin { stroke-width: 1; opacity: .45; }
.cross { stroke: var(--blocker); stroke-width: 3; stroke-linecap: round; }
.budget { display: grid; gap: .3rem; grid-template-columns: minmax(0, 1fr); }
.step { display: grid; grid-template-columns: minmax(0, 17rem) minmax(0, 1fr) 5.5rem; gap: .2rem .9rem; align-items: center; font-size: .92rem; }
.step > svg { width: 100%; height: 1.35rem; display: block; } .step .bytes { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.track { fill: var(--sunk); } .payload { fill: var(--bar); } .added { fill: var(--bar-added); } .over { fill: var(--blocker); }
.limit { stroke: var(--ink); stroke-width: 2; vector-effect: non-scaling-stroke; }
@media (max-width: 48rem) { .step { grid-template-columns: minmax(0, 1fr) 5.5rem; } .step .what { grid-column: 1 / -1; } }
.axis { stroke: var(--strong-line); stroke-width: 1.5; } .dot { fill: var(--sheet); stroke: var(--link); stroke-width: 2; }
.events { list-style: none; margin: 0; padding: 0; display: grid; gap: .3rem; }
.events li { display: grid; grid-template-columns: 2rem 6.2rem minmax(0, 1fr); gap: .6rem; font-size: .92rem; }
.events .when { font-variant-numeric: tabular-nums; color: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; padding: 0; margin: 0; font-size: .875rem; color: var(--soft); }
.legend li { display: inline-flex; gap: .5rem; align-items: center; } .legend svg { width: 2.6rem; height: .9rem; }
"""

_PRINT = """
@media print {
  @page { margin: 14mm; }
  html { font-size: 10pt; }
  body { background: #fff; }
  .page { display: block; padding: 0; max-width: none; }
  nav.contents, .skip { display: none; }
  section, header.top, footer.bottom { margin-bottom: 14pt; }
  .sheet, .verdict, tr, li, .step { break-inside: avoid; }
  .finding.sheet { break-inside: auto; }
  h2, h3, h4, caption { break-after: avoid; }
  svg, .badge, .remedy { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  details > summary { list-style: none; }
  .scroll { overflow: visible; }
  a { color: inherit; }
}
"""

STYLE = (
    ":root {" + _LIGHT + "}\n@media screen and (prefers-color-scheme: dark) { :root {" + _DARK + "} }\n" + _BASE + _LAYOUT + _PARTS + _DRAWN + _PRINT
).strip()
