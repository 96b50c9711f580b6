"""Bugs of the agents: intake, resolver, directory, journey."""

from __future__ import annotations

from tests.planted import checks
from tests.planted.bug import Bug

BUGS = (
    Bug(
        "characters-for-bytes",
        "A contract's bound holds for the characters of a text, which may be six times as many bytes.",
        "schemas/codec.py",
        "                contract.validate_bytes(data)\n",
        "                contract.validate(data)\n",
        (checks.BYTES,),
    ),
    Bug(
        "one-pass-with-characters-for-bytes",
        "The quick way bounds a text in characters, of which each may be four bytes.",
        "schemas/one_pass.py",
        '        bounds["max_length"] //= _WIDEST\n',
        '        bounds["max_length"] //= 1\n',
        (checks.ONE_PASS_TEXTS,),
    ),
    Bug(
        "one-pass-with-ids-that-nobody-sees",
        "The quick way takes an id that consists of blanks.",
        "schemas/one_pass.py",
        ' and " " not in joined:',
        ":",
        (checks.ONE_PASS_TEXTS,),
    ),
    Bug(
        "one-pass-over-what-nobody-declared",
        "The quick way passes undeclared fields over: numbers that no float holds, and bytes that are no text.",
        "schemas/one_pass.py",
        "forbid_unknown_fields=True",
        "forbid_unknown_fields=False",
        (checks.ONE_PASS_UNDECLARED,),
    ),
    Bug(
        "one-pass-with-fields-before-that-are-other-values",
        "A validator that asks another field sees in the quick way what it would not compare: a struct, or a mark.",
        "schemas/fields_before.py",
        "        if name not in self._names:\n",
        '        if name == "":\n',
        (checks.ONE_PASS_BEFORE,),
    ),
    Bug(
        "one-pass-with-half-a-contract",
        "What a company's contract asks for, and no struct knows, is not asked for.",
        "schemas/one_pass.py",
        'return rest.keys() <= {"metadata", "ref", *names}',
        "return True",
        (checks.ONE_PASS_CONTRACTS,),
    ),
    Bug(
        "one-pass-that-raises",
        "An event that is nested too deep is a failed decision of the bus's own, and calls for people.",
        "schemas/codec.py",
        "(msgspec.MsgspecError, ValueError, RecursionError)",
        "(msgspec.MsgspecError, ValueError)",
        (checks.ONE_PASS_DEEP,),
    ),
    Bug(
        "a-document-of-any-size",
        "A document that is too large is found out after the decision, by whoever writes it.",
        "agents/journey.py",
        "        if self._careful or bytes_at_most(customer) > output_size.MOST_BYTES:\n",
        "        if bytes_at_most(customer) < 0:\n",
        (
            checks.TOO_LARGE,
            checks.NOTHING_BEHIND,
        ),
    ),
    Bug(
        "an-entry-kept-before-all-is-decided",
        "The entry of an event that is buried stands in the store all the same.",
        "agents/journey.py",
        "                joined.append(added)\n",
        "                self._archive.add(added)\n",
        (checks.UNWRITTEN,),
    ),
    Bug(
        "a-move-that-fails-ends-the-worker",
        "A part of a move whose judgement fails comes again and again.",
        "agents/journey.py",
        "            return self._unjudged(record, name, before)\n",
        "            raise\n",
        (checks.UNJUDGED,),
    ),
    Bug(
        "a-merge-that-fails-ends-the-worker",
        "An order to merge whose decision fails comes again and again.",
        "agents/journey.py",
        '        log.error("a merge failed',
        '        raise error\n        log.error("a merge failed',
        (checks.MERGE_FAILS,),
    ),
    Bug(
        "alerts-on-top-of-a-full-part",
        "The last part of a move has its entries and all alerts, whatever their size.",
        "agents/moves.py",
        "    if size + len(alerts) > MOVE_BYTES and found[-1]:\n",
        "    if size < 0:\n",
        (checks.PART_OF_THEIR_OWN,),
    ),
    Bug(
        "what-is-decided-stays-behind",
        "A customer who moves takes alerts along, and not up to when all is decided for good.",
        "agents/moves.py",
        '"settledUntil": shipped.decided_until if last else BEFORE_ALL,',
        '"settledUntil": BEFORE_ALL,',
        (checks.DECIDED_MOVES,),
    ),
    Bug(
        "commit-before-the-acknowledgements",
        "Intake commits its offset, and sends then.",
        "agents/intake.py",
        """\
            await asyncio.gather(*sent)
        finally:
""",
        """\
            commit(batches)
            await asyncio.gather(*sent)
        finally:
""",
        (checks.INTAKE_REFUSED, checks.INTAKE_ACKNOWLEDGED),
    ),
    Bug(
        "refused-batch-dropped",
        "Intake goes on when Kafka refuses what it sends.",
        "agents/intake.py",
        """\
            await asyncio.gather(*sent)
        finally:
""",
        """\
            await asyncio.gather(*sent, return_exceptions=True)
        finally:
""",
        (checks.INTAKE_REFUSED,),
    ),
    Bug(
        "a-round-in-stripes",
        "What was fetched together goes through partition after partition, not in the order of broker time.",
        "agents/intake.py",
        'sorted(chain.from_iterable(batch.records for batch in batches), key=attrgetter("timestamp"))',
        "list(chain.from_iterable(batch.records for batch in batches))",
        (checks.TOGETHER,),
    ),
    Bug(
        "dead-letter-without-bytes",
        "A dead letter tells the reason, but not what had come.",
        "agents/intake.py",
        "return dead_letter(record.key, record.value, kept,",
        "return dead_letter(record.key, None, kept,",
        (checks.LETTERS,),
    ),
    Bug(
        "uid-without-the-source",
        "Events count as copies when their ids are the same, whoever sent them.",
        "agents/intake.py",
        "uid_bytes(decoded.source, decoded.id)",
        'uid_bytes("", decoded.id)',
        (checks.TWO_SOURCES,),
    ),
    Bug(
        "merge-order-lost",
        "The resolver knows of a merge, and the younger customer's journal never hears of it.",
        "agents/resolver.py",
        """\
        yield self._to_journal(merged.customer, order, ((ORDER, MERGE),))
""",
        """\
        order, MERGE
""",
        (checks.LINK,),
    ),
    Bug(
        "a-block-that-the-next-owner-does-not-know",
        "A value that too many strangers share is blocked until the resolver is restarted.",
        "agents/resolver.py",
        "            yield self._know(node, NodeState(held.customer, blocked=at))\n",
        "            self._know(node, NodeState(held.customer, blocked=at))\n",
        (checks.FUSE_RESTORED, checks.STRANGERS),
    ),
    Bug(
        "intake-goes-on-with-a-blocked-value",
        "Whose a value was that intake has asked for lately, it stays, though it is blocked since.",
        "agents/directory.py",
        "        self._recent.pop(key[2:].decode(), None)\n",
        "",
        (checks.FUSE_HEARD,),
    ),
    Bug(
        "identity-key-not-checked-by-a-warm-resolver",
        "With a store on disk, the resolver takes any identity key.",
        "agents/resolver.py",
        "if (held := self._store.get(",
        "if not self._store.checkpoint() and (held := self._store.get(",
        (checks.OTHER_KEY, checks.OTHER_KEY_WARM),
    ),
    Bug(
        "identity-key-not-checked-by-a-warm-directory",
        "With a store on disk, intake's directory takes any identity key.",
        "agents/directory.py",
        "if (held := self._store.get(",
        "if not cache and (held := self._store.get(",
        (checks.DIRECTORY_KEY,),
    ),
    Bug(
        "skip-on-seen",
        "What a failed try of a batch has put aside counts as seen when the batch is tried again, and is skipped.",
        "agents/journey.py",
        """\
        self._archive.drop()
        if self._touched:  # by a unit that was not committed: they were changed in place
""",
        """\
        if self._touched:  # by a unit that was not committed: they were changed in place
""",
        (checks.DECISION_ERROR,),
    ),
    Bug(
        "customers-of-a-failed-unit-kept",
        "A batch that failed is decided again with the customers as the failed try has left them.",
        "agents/journey.py",
        """\
            self._forget_customers()
            self._archive.forget_all_states()
        for held in (""",
        """\
            self._archive.forget_all_states()
        for held in (""",
        (checks.DECISION_ERROR,),
    ),
    Bug(
        "a-customers-records-backwards",
        "What happened to one customer in a unit is decided from the last record to the first.",
        "agents/journal_record.py",
        "    return sorted(range(len(customers)), key=customers.__getitem__)\n",
        "    return sorted(range(len(customers)), key=customers.__getitem__)[::-1]\n",
        (checks.CUTS,),
    ),
    Bug(
        "the-clock-of-the-whole-unit",
        "Every record of a unit is decided as of the unit's last one.",
        "agents/journey.py",
        "self._rules, self._archive, clock)\n",
        "self._rules, self._archive, self._pending_clock)\n",
        (checks.CUTS,),
    ),
    Bug(
        "outputs-in-the-order-of-deciding",
        "Records are written customer by customer, so that their order depends on how the journal was cut.",
        "agents/journey.py",
        "                each[place] = self._one(records[place], heard[place], clocks[place])\n",
        "                outputs += self._one(records[place], heard[place], clocks[place])\n",
        (checks.CUTS,),
    ),
    Bug(
        "profile-in-the-next-unit",
        "Profiles are written with the transaction after that of their entries.",
        "agents/journey.py",
        """\
        return outputs

    def _begin""",
        """\
        held, self._timeline_first = getattr(self, "_timeline_first", []), [o for o in outputs if o.topic == PROFILES]
        return [*held, *(o for o in outputs if o.topic != PROFILES)]

    def _begin""",
        (checks.RESTORED_JOURNEY,),
    ),
    Bug(
        "at-not-cut-to-received",
        "An event that claims to lie ahead of the broker's clock stands there on the timeline.",
        "agents/journal_record.py",
        "        at, uid = effective_at(happened, received), known.uid\n",
        "        at, uid = max(happened, effective_at(happened, received)), known.uid\n",
        (checks.LATER_THAN_RECEIVED,),
    ),
    Bug(
        "clock-lost-at-a-restore",
        "A partition that was taken over begins with the clock of its next record.",
        "agents/mirror.py",
        "        return appended\n",
        "        return 0\n",
        (checks.CLOCK,),
    ),
    Bug(
        "moved-part-forgotten",
        "Of a long history that moves to another customer, all parts go but the first.",
        "agents/journey.py",
        """\
        for part in moves.parts(customer.id, shipped, stored):
""",
        """\
        for part in list(moves.parts(customer.id, shipped, stored))[1:]:
""",
        (checks.MOVE,),
    ),
    Bug(
        "letter-of-any-size",
        "A record that is large once unpacked goes into the dead letters as it is, and no topic takes that.",
        "agents/dead_letters.py",
        "if size(key, value, headers) > WHOLE:",
        "if size(key, value, headers) > WHOLE**2:",
        (checks.LETTER_CUT,),
    ),
    Bug(
        "letter-with-long-names",
        "Of a header the value is cut, but not the name.",
        "agents/dead_letters.py",
        'name = header[0].encode()[: CUT_HEADER_BYTES // 2].decode("utf-8", "ignore")',
        "name = header[0]",
        (checks.LETTER_CUT,),
    ),
    Bug(
        "cut-letter-sent-again",
        "A retry sends the beginning of an event for the whole.",
        "cli/dead_letters.py",
        """\
    size = letter.cut.value_bytes if letter.cut else len(letter.value or b"")
    if size > most:
        return f"its value has {size} bytes, and an event may have at most {most}"
    if letter.cut:
""",
        """\
    size = len(letter.value or b"")
    if size > most:
        return f"its value has {size} bytes, and an event may have at most {most}"
    if letter.cut and not letter.value:
""",
        (checks.NOT_SENT,),
    ),
    Bug(
        "identifiers-of-any-length-kept",
        "What follows from 100 identifiers of 512 characters is kept: 50,000 such events take 10 GiB.",
        "agents/short_cache.py",
        "if len(pairs) <= MOST_PAIRS and sum(len(kind) + len(value) for kind, value in pairs) <= MOST_CHARACTERS:",
        "if pairs:",
        (checks.ONLY_SHORT,),
    ),
    Bug(
        "identifiers-kept-for-ever",
        "What follows from identifiers is kept without end.",
        "agents/short_cache.py",
        "            if len(self) >= CACHED:\n",
        "            if len(self) < 0:\n",
        (checks.FULL_CACHE,),
    ),
    Bug(
        "a-lost-unit-kept-by-an-opening",
        "What a unit of work put aside that was never committed becomes the past when the partition is opened again.",
        "agents/journey.py",
        """\
        self._archive.drop()
        self._forget_customers()
        self._archive.opened()
""",
        "        self._forget_customers()\n        self._archive.opened()\n",
        (checks.LOST_AT_OPENING,),
    ),
    Bug(
        "a-lost-unit-kept-by-a-restore",
        "What a unit of work put aside that was never committed becomes the past with the next restored record.",
        "agents/journey.py",
        "        self._archive.drop()  # what",
        "        # what",
        (checks.LOST_AT_OPENING,),
    ),
    Bug(
        "two-stages-in-one-progress",
        "The resolver notes how far it is where the journey of partition 0 does.",
        "agents/stages.py",
        "first=partitions)",
        "first=0)",
        (checks.PROGRESS_PLACES,),
    ),
    Bug(
        "a-write-that-the-topology-does-not-name",
        "The topology does not say that the resolver writes dead letters: rights made of it would stop it.",
        "agents/stages.py",
        '            Write(DEAD, "identifiers that name nobody, foreign records"),\n',
        "",
        (checks.DECLARED,),
    ),
    Bug(
        "wired-by-hand",
        "The agents of a worker read what somebody wrote there, not what the topology says.",
        "agents/app.py",
        "self.app.batch_topic(*stage.reads, by_time=by_time)",
        'self.app.batch_topic(f"cx.{stage.name}.v1", by_time=by_time)',
        (checks.WIRED,),
    ),
)
