"""Graphs as drawings in SVG: nodes in rows, each below its inputs, and curves between them."""

from __future__ import annotations

from collections import defaultdict

from llmtrace.frozen import frozen
from llmtrace.render.html.words import escaped
from llmtrace.views.figures import Graph, Node

LETTER, HEIGHT, ACROSS, DOWN, EDGE = 7.3, 38, 24, 34, 16
"""The width of a letter, the height of a node, the air beside and below one, and around the picture, in pixels."""
LEAST = 80


@frozen
class Box:
    """Where a node stands: its middle, its top, and how wide it is."""

    node: Node
    middle: float
    top: float
    width: float


def drawing(graph: Graph) -> tuple[str, int, int]:
    """The elements of a drawing, and how wide and high it is. Inputs that skip rows lead around the right side."""
    boxes, width, height = placed(graph)
    right = max((box.middle + box.width / 2 for box in boxes.values()), default=0.0)
    lanes = {n for box in boxes.values() for n in box.node.inputs if boxes[n].node.row < box.node.row - 1}
    place = {name: n for n, name in enumerate(sorted(lanes, key=lambda name: boxes[name].node.row))}
    parts = []
    for box in boxes.values():
        for name in box.node.inputs:
            lane = right + 10 + 4 * (place[name] % 24) if box.node.row - boxes[name].node.row > 1 else None
            parts.append(_curve(boxes[name], box, lane))
    parts += map(_box, boxes.values())
    return "".join(parts), width + (10 + 4 * 24 if lanes else 0), height


def placed(graph: Graph) -> tuple[dict[str, Box], int, int]:
    """Every node by its name in the middle of its row, and the size of it all."""
    rows: dict[int, list[Node]] = defaultdict(list)
    for node in graph.nodes:
        rows[node.row].append(node)
    widths = {node.name: max(LEAST, LETTER * max(len(node.name), len(_below(node))) + 16) for node in graph.nodes}
    spans = {row: sum(widths[n.name] + ACROSS for n in nodes) - ACROSS for row, nodes in rows.items()}
    widest = max(spans.values(), default=0)
    boxes = {}
    for row, nodes in rows.items():
        left = EDGE + (widest - spans[row]) / 2
        for node in nodes:
            wide = widths[node.name]
            boxes[node.name] = Box(node, left + wide / 2, EDGE + row * (HEIGHT + DOWN), wide)
            left += wide + ACROSS
    height = 2 * EDGE + (max(rows, default=0) + 1) * (HEIGHT + DOWN) - DOWN
    return boxes, round(widest + 2 * EDGE), height


def _below(node: Node) -> str:
    return f"{node.op} {node.size}".strip()


def _curve(source: Box, target: Box, lane: float | None) -> str:
    start, end = source.top + HEIGHT, target.top
    if lane is None:
        path = (
            f"M{source.middle:.1f} {start}C{source.middle:.1f} {start + DOWN / 2} {target.middle:.1f} {end - DOWN / 2} "
        )
        path += f"{target.middle:.1f} {end}"
    else:
        out, back = source.top + HEIGHT / 2, end - DOWN / 3
        path = f"M{source.middle + source.width / 2:.1f} {out}H{lane:.1f}V{back:.1f}H{target.middle:.1f}V{end}"
    return f'<path d="{path}" fill="none" stroke="#888" stroke-width="1.2" marker-end="url(#end)"/>'


def _box(box: Box) -> str:
    node, left = box.node, box.middle - box.width / 2
    fill = "#dbe9f6" if node.op else "#eee"
    second = f'<tspan x="{box.middle:.1f}" dy="14" fill="#555" font-size="10">{escaped(_below(node))}</tspan>'
    return (
        f'<rect x="{left:.1f}" y="{box.top}" width="{box.width:.1f}" height="{HEIGHT}" rx="5" fill="{fill}" stroke="#567"/>'
        f'<text x="{box.middle:.1f}" y="{box.top + (16 if _below(node) else 23)}" text-anchor="middle" font-size="12" '
        f'font-family="monospace" fill="#111">{escaped(node.name)}{second if _below(node) else ""}</text>'
    )


def svg(graph: Graph) -> str:
    """A drawing as an element of SVG."""
    content, width, height = drawing(graph)
    marker = (
        '<defs><marker id="end" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L6 3L0 6Z" fill="#888"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f'{marker}<rect width="{width}" height="{height}" fill="#fff"/>{content}</svg>\n'
    )
