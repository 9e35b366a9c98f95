"""Plans over data sources: what each source is asked for, and what reads its answer.

It goes through the nodes of a plan; what becomes of a tree, pieces.py says.
"""

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from proxy.plan.nodes import Node, Passthrough, Predict, Remote, Residual, Scan, Write
from proxy.plan.remote.mentions import is_read_once, unused_left_out
from proxy.plan.remote.pieces import Asking, Pieces, stand_ins
from proxy.plan.remote.tables import RemoteTable


class Lowering:
    """One statement's. `remotes` are its tables of sources, by their relations; without `pushes`
    tables are read as they are. Raises what Sources raises."""

    def __init__(
        self, remotes: Mapping[str, RemoteTable], asking: Asking, *, pushes: bool = True
    ) -> None:
        self._remotes = remotes
        self._pieces = Pieces(remotes, asking, pushes=pushes)

    async def lower(self, node: Node) -> Node:
        """The plan with a Remote for all that it reads of sources."""
        if not self._remotes:
            return node
        match node:
            case Passthrough(sql=sql) | Scan(sql=sql):
                below = [await self.lower(child) for child in node.inputs]
                lowered, remotes = await self._query(sql)
                return replace(node, sql=lowered, inputs=(*remotes, *below))
            case Write(tree=tree):
                below = [await self.lower(child) for child in node.inputs]
                changed, remotes = await self._tree(tree)
                return replace(node, tree=changed, inputs=(*remotes, *below))
            case Predict(child=child):
                return replace(node, child=await self.lower(child))
            case Residual(child=child, sql=sql):
                lowered, remotes = await self._query(sql)
                assert isinstance(lowered, exp.Select)
                return replace(node, child=_fed(await self.lower(child), remotes), sql=lowered)
        return node

    async def _query(self, query: exp.Query) -> tuple[exp.Query, list[Remote]]:
        tree, remotes = await self._tree(query)
        assert isinstance(tree, exp.Query)
        return tree, remotes

    async def _tree(self, tree: exp.Expr) -> tuple[exp.Expr, list[Remote]]:
        """A tree over Remotes, and those."""
        if not any(stand_ins(tree, self._remotes)):
            return tree, []
        lowered, remotes = await self._pieces.of(unused_left_out(tree.copy()))
        return lowered, [
            replace(remote, streams=is_read_once(lowered, remote.name)) for remote in remotes
        ]


def _fed(node: Node, remotes: list[Remote]) -> Node:
    """The chain with more for its Scan to have made, in front of what reads it."""
    match node:
        case Scan(inputs=inputs):
            return replace(node, inputs=(*remotes, *inputs))
        case Predict(child=child) | Residual(child=child):
            return replace(node, child=_fed(child, remotes))
    return node
