package io.peft4j.models.constraint;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * The texts of a rule, as an automaton whose states are made when they are first reached: what a text never comes to
 * costs nothing, however often a rule repeats or refers to others.
 *
 * <p>A position is a rule, how often or how far it has been followed, and the position behind it; so positions form
 * stacks with common ends. A state is the set of positions that may take the next byte.
 */
final class LazyAutomaton implements TextConstraint {
    /** Positions that all states together may hold: some 100 MB. */
    private static final int MOST_POSITIONS = 4_000_000;
    /** Positions that are looked at for one state; a choice of 9,000 words has 18,000. */
    private static final int MOST_IN_A_STATE = 40_000;
    /** Positions of a state that count as few, and how many more all states together may look at: a second's work. */
    private static final int FEW = 200;
    private static final int MOST_BEYOND_FEW = 500_000;
    private static final int END = -1;
    private static final int UNKNOWN = -2;

    private final String description;
    private final Set<Rule> impossible;
    private final Map<Position, Integer> ids = new HashMap<>();
    private final List<Position> positions = new ArrayList<>();
    private final Map<State, Integer> numbers = new HashMap<>();
    private final Map<List<Rule.Bytes>, Groups> groupings = new HashMap<>();
    private final Map<Integer, List<Rule.Bytes>> sets = new HashMap<>();
    private long held;
    private long beyondFew;
    /** Read without the lock; grows by copies. */
    private volatile State[] states = new State[0];

    /** A place in a rule, and what comes behind it. */
    private record Position(Rule rule, int count, int next) {
    }

    /** Which bytes lead to the same state, from states whose positions take the same sets of bytes. */
    private record Groups(short[] of, int[] examples) {
    }

    /** Positions that take a byte each, in their order, and whether the text may end. */
    private static final class State {
        private final int[] leaves;
        private final boolean end;
        private Groups groups = new Groups(new short[0], new int[0]);
        private AtomicIntegerArray targets = new AtomicIntegerArray(0);

        State(int[] leaves, boolean end) {
            this.leaves = leaves;
            this.end = end;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof State state && end == state.end && Arrays.equals(leaves, state.leaves);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(leaves) * 2 + (end ? 1 : 0);
        }
    }

    /**
     * The texts of a rule.
     *
     * @throws ConfigurationException when there is none
     */
    LazyAutomaton(String description, Rule rule) {
        this.description = description;
        impossible = impossible(rule);
        if (impossible.contains(rule)) {
            throw new ConfigurationException(description + " allows no text at all" + impossible.stream()
                    .filter(each -> each instanceof Rule.Reference).findFirst()
                    .map(each -> "; it contains itself through '" + ((Rule.Reference) each).name() + "' without an end")
                    .orElse(""));
        }
        state(List.of(new Position(rule, 0, END)), false);
    }

    /** The rules that no text fits, since they have no byte or contain themselves without an end. */
    private static Set<Rule> impossible(Rule root) {
        Set<Rule> known = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Rule> open = new ArrayDeque<>(List.of(root));
        List<Rule> all = new ArrayList<>();
        while (!open.isEmpty()) {
            Rule rule = open.pop();
            if (known.add(rule)) {
                all.add(rule);
                rule.parts().forEach(open::push);
            }
        }
        // Parts come before what they are part of, so that few rounds suffice.
        Collections.reverse(all);
        boolean more = true;
        while (more) {
            more = false;
            for (Rule rule : all) {
                more |= known.contains(rule) && possible(rule, known) && known.remove(rule);
            }
        }
        return known;
    }

    private static boolean possible(Rule rule, Set<Rule> notYet) {
        if (rule instanceof Rule.Bytes bytes) {
            return !bytes.isEmpty();
        }
        if (rule instanceof Rule.Repetition repetition && repetition.least() == 0) {
            return true;
        }
        return rule instanceof Rule.Choice ? rule.parts().stream().anyMatch(part -> !notYet.contains(part))
                : rule.parts().stream().noneMatch(notYet::contains);
    }

    @Override
    public int start() {
        return 0;
    }

    @Override
    public int step(int state, int value) {
        State at = states[state];
        int group = at.groups.of[value];
        if (group < 0) {
            return NONE;
        }
        int target = at.targets.get(group);
        return target == UNKNOWN ? follow(at, group) : target;
    }

    @Override
    public boolean mayEnd(int state) {
        return states[state].end;
    }

    @Override
    public boolean mayGoOn(int state) {
        return states[state].leaves.length > 0;
    }

    @Override
    public String description() {
        return description;
    }

    private synchronized int follow(State from, int group) {
        List<Position> behind = new ArrayList<>();
        boolean end = false;
        for (int leaf : from.leaves) {
            Position position = positions.get(leaf);
            if (((Rule.Bytes) position.rule).has(from.groups.examples[group])) {
                end |= position.next == END;
                if (position.next != END) {
                    behind.add(positions.get(position.next));
                }
            }
        }
        int target = state(behind, end);
        from.targets.set(group, target);
        return target;
    }

    /** The number of the state in which a text is that has come to any of these positions, or to its end. */
    private int state(List<Position> starts, boolean end) {
        Deque<Position> open = new ArrayDeque<>(starts);
        Set<Integer> seen = new HashSet<>();
        Set<Integer> leaves = new TreeSet<>();
        Set<Integer> notAgain = new HashSet<>();
        boolean mayEnd = end;
        while (!open.isEmpty()) {
            Position at = open.pop();
            int id = id(at);
            if (!seen.add(id)) {
                continue;
            }
            if (seen.size() > MOST_IN_A_STATE) {
                throw tooComplex();
            }
            if (at.rule instanceof Rule.Bytes) {
                leaves.add(id);
            } else if (at.rule instanceof Rule.Sequence && at.count < at.rule.parts().size()) {
                int rest = at.count + 1 == at.rule.parts().size() ? at.next
                        : id(new Position(at.rule, at.count + 1, at.next));
                push(open, at.rule.parts().get(at.count), rest);
            } else if (at.rule instanceof Rule.Repetition repetition) {
                if (repetition.again(at.count)) {
                    int rest = id(new Position(at.rule, repetition.next(at.count), at.next));
                    if (repetition.partMayBeEmpty() && rest != id) {
                        notAgain.add(rest);
                    }
                    push(open, repetition.part(), rest);
                }
                mayEnd |= at.count >= repetition.least() && resume(open, at.next, notAgain);
            } else if (at.rule instanceof Rule.Sequence) {
                mayEnd |= resume(open, at.next, notAgain);
            } else {
                for (Rule part : at.rule.parts()) {
                    push(open, part, at.next);
                }
            }
        }
        beyondFew += Math.max(0, seen.size() - FEW);
        if (beyondFew > MOST_BEYOND_FEW) {
            throw tooComplex();
        }
        return number(new State(leaves.stream().mapToInt(Integer::intValue).toArray(), mayEnd));
    }

    private void push(Deque<Position> open, Rule rule, int next) {
        if (!impossible.contains(rule)) {
            open.push(new Position(rule, 0, next));
        }
    }

    /**
     * Goes on with the position behind one that is through.
     *
     * @param notAgain repetitions whose part was nothing, which once more leads to nothing new
     * @return whether that is the end of the text
     */
    private boolean resume(Deque<Position> open, int next, Set<Integer> notAgain) {
        if (next != END && !notAgain.contains(next)) {
            open.push(positions.get(next));
        }
        return next == END;
    }

    private int id(Position position) {
        Integer known = ids.get(position);
        if (known == null) {
            known = positions.size();
            if (known == MOST_POSITIONS) {
                throw tooComplex();
            }
            positions.add(position);
            ids.put(position, known);
        }
        return known;
    }

    private int number(State state) {
        Integer known = numbers.get(state);
        if (known != null) {
            return known;
        }
        held += state.leaves.length;
        if (held > MOST_POSITIONS) {
            throw tooComplex();
        }
        state.groups = groups(state);
        int[] unknown = new int[state.groups.examples.length];
        Arrays.fill(unknown, UNKNOWN);
        state.targets = new AtomicIntegerArray(unknown);
        int number = numbers.size();
        State[] now = states;
        if (number == now.length) {
            now = Arrays.copyOf(now, Math.max(16, 2 * number));
        }
        now[number] = state;
        states = now;
        numbers.put(state, number);
        return number;
    }

    private Groups groups(State state) {
        Set<Rule.Bytes> different = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Rule.Bytes> taken = new ArrayList<>();
        for (int leaf : state.leaves) {
            Rule.Bytes set = shared((Rule.Bytes) positions.get(leaf).rule);
            if (different.add(set)) {
                taken.add(set);
            }
        }
        return groupings.computeIfAbsent(taken, LazyAutomaton::groups);
    }

    private Rule.Bytes shared(Rule.Bytes bytes) {
        List<Rule.Bytes> alike = sets.computeIfAbsent(bytes.number(), number -> new ArrayList<>());
        return alike.stream().filter(bytes::same).findFirst().orElseGet(() -> {
            alike.add(bytes);
            return bytes;
        });
    }

    private static Groups groups(List<Rule.Bytes> sets) {
        short[] of = new short[256];
        Map<BitSet, Short> known = new HashMap<>();
        int[] examples = new int[256];
        for (int value = 0; value < 256; value++) {
            BitSet members = new BitSet();
            for (int i = 0; i < sets.size(); i++) {
                members.set(i, sets.get(i).has(value));
            }
            int example = value;
            of[value] = members.isEmpty() ? (short) -1 : known.computeIfAbsent(members, set -> {
                examples[known.size()] = example;
                return (short) known.size();
            });
        }
        return new Groups(of, Arrays.copyOf(examples, known.size()));
    }

    private ConfigurationException tooComplex() {
        return new ConfigurationException(description + " is too complex: too many of its parts fit the same text; "
                + "repeat less often, or say more exactly what comes");
    }
}
