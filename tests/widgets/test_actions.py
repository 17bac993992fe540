"""The table of actions."""

from __future__ import annotations

from collections import Counter

from widgets.actions import ACTIONS


def test_no_two_actions_share_a_key():
    # Qt triggers neither of two actions with the same shortcut.
    keys = Counter(key for action in ACTIONS for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_action_has_a_name_of_its_own():
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)
