package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * The texts of a rule, as an automaton whose states are made when they are first reached: what a text never comes to
 * costs nothing, however often a rule repeats or refers to others.
 *
 * <p>A position is a rule, how often or how far it has been followed, and the position behind it; so positions form
 * stacks with common ends. A state is the set of positions that may take the next byte.
 */
final class LazyAutomaton implements TextConstraint {
    /** Memory that an automaton may take: a string whose length is counted takes about a kilobyte a character. */
    private static final long MOST_BYTES = Math.max(8L << 20, Math.min(64L << 20, Runtime.getRuntime().maxMemory()
            / 32));
    /** What a rule takes, and a state beside its positions. */
    private static final int RULE_BYTES = 150;
    private static final int STATE_BYTES = 250;
    /** Positions that are looked at for one state; a choice of 9,000 words has 18,000. */
    private static final int MOST_IN_A_STATE = 40_000;
    /** Positions of a state that count as few, and how many more all states together may look at. */
    private static final int FEW = 200;
    private static final int MOST_BEYOND_FEW = 500_000;
    private static final int END = -1;
    private static final int UNKNOWN = -2;
    private static final int LONGEST_DESCRIPTION = 300;

    private final String description;
    private final Rule[] rules;
    /** The numbers of the parts of each rule, without those that no text fits. */
    private final int[][] parts;
    private final PositionTable positions = new PositionTable();
    private final Map<State, Integer> numbers = new HashMap<>();
    private final Map<List<Rule.Bytes>, ByteGroups> groupings = new HashMap<>();
    private final Map<List<Long>, Integer> sets = new HashMap<>();
    /** For each rule of bytes that a state has come to the number of the one that stands for all of the same set. */
    private final int[] shared;
    /** For each position the last round in which it was looked at; a round makes one state. */
    private int[] looked = new int[64];
    /** The same for repetitions whose part was nothing, which once more leads to nothing new. */
    private int[] notAgain = new int[64];
    /** For each rule that stands for a set of bytes the last state that takes it. */
    private final int[] taken;
    private int round;
    private long stateBytes;
    private long beyondFew;
    /** Read without the lock; grows by copies. */
    private volatile State[] states = new State[0];

    /** Positions that take a byte each, in their order, and whether the text may end. */
    private static final class State {
        private static final ByteGroups NO_GROUPS = ByteGroups.of(List.of());
        private static final AtomicIntegerArray NO_TARGETS = new AtomicIntegerArray(0);

        private final int[] leaves;
        private final boolean end;
        private final int hash;
        private ByteGroups groups = NO_GROUPS;
        private AtomicIntegerArray targets = NO_TARGETS;

        State(int[] leaves, boolean end) {
            this.leaves = leaves;
            this.end = end;
            this.hash = Arrays.hashCode(leaves) * 2 + (end ? 1 : 0);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof State state && end == state.end && Arrays.equals(leaves, state.leaves);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    /**
     * The texts of a rule.
     *
     * @throws ConfigurationException when there is none
     */
    LazyAutomaton(String description, Rule rule) {
        this.description = description;
        Map<Rule, Integer> ruleNumbers = new IdentityHashMap<>();
        rules = all(rule, ruleNumbers);
        int[][] all = new int[rules.length][];
        Arrays.setAll(all, i -> partsOf(rules[i], ruleNumbers));
        BitSet possible = possible(all);
        if (!possible.get(0)) {
            throw new ConfigurationException(description + " allows no text at all" + Arrays.stream(rules)
                    .filter(each -> each instanceof Rule.Reference && !possible.get(ruleNumbers.get(each))).findFirst()
                    .map(each -> "; it contains itself through '" + ((Rule.Reference) each).name() + "' without an end")
                    .orElse(""));
        }
        parts = all;
        if (possible.cardinality() < all.length) {
            Arrays.setAll(parts, i -> Arrays.stream(all[i]).filter(possible::get).toArray());
        }
        shared = new int[parts.length];
        Arrays.fill(shared, UNKNOWN);
        taken = new int[parts.length];
        stateBytes = (long) RULE_BYTES * parts.length;
        positions.id(0, 0, END);
        state(new int[] {0}, 1, false);
    }

    /** A rule and everything it is made of, by the numbers that they are given. */
    private static Rule[] all(Rule root, Map<Rule, Integer> numbers) {
        Deque<Rule> open = new ArrayDeque<>(List.of(root));
        List<Rule> all = new ArrayList<>();
        while (!open.isEmpty()) {
            Rule rule = open.pop();
            if (numbers.putIfAbsent(rule, all.size()) == null) {
                all.add(rule);
                rule.parts().forEach(open::push);
            }
        }
        return all.toArray(Rule[]::new);
    }

    private static int[] partsOf(Rule rule, Map<Rule, Integer> numbers) {
        List<Rule> parts = rule.parts();
        int[] all = new int[parts.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = numbers.get(parts.get(i));
        }
        return all;
    }

    /**
     * The numbers of the rules that some text fits; others have no byte, or contain themselves without an end. Each
     * rule is looked at once for each of its parts.
     */
    private BitSet possible(int[][] all) {
        List<List<Integer>> owners = new ArrayList<>();
        for (int i = 0; i < all.length; i++) {
            owners.add(new ArrayList<>(1));
        }
        int[] missing = new int[all.length];
        Deque<Integer> found = new ArrayDeque<>();
        for (int i = 0; i < all.length; i++) {
            Rule rule = rules[i];
            missing[i] = rule instanceof Rule.Choice ? 1 : all[i].length;
            for (int part : all[i]) {
                owners.get(part).add(i);
            }
            if (rule instanceof Rule.Bytes bytes ? !bytes.isEmpty()
                    : missing[i] == 0 || rule instanceof Rule.Repetition repetition && repetition.least() == 0) {
                found.add(i);
            }
        }
        BitSet possible = new BitSet();
        while (!found.isEmpty()) {
            int rule = found.pop();
            if (!possible.get(rule)) {
                possible.set(rule);
                for (int owner : owners.get(rule)) {
                    if (--missing[owner] == 0) {
                        found.add(owner);
                    }
                }
            }
        }
        return possible;
    }

    @Override
    public int start() {
        return 0;
    }

    @Override
    public int step(int state, int value) {
        State at = states[state];
        int group = at.groups.of()[value];
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

    @Override
    public synchronized long bytes() {
        return positions.bytes() + stateBytes;
    }

    private synchronized int follow(State from, int group) {
        int[] behind = new int[from.leaves.length];
        int count = 0;
        boolean end = false;
        for (int leaf : from.leaves) {
            if (((Rule.Bytes) rules[positions.rule(leaf)]).has(from.groups.examples()[group])) {
                int next = positions.next(leaf);
                end |= next == END;
                if (next != END) {
                    behind[count++] = next;
                }
            }
        }
        int target = state(behind, count, end);
        from.targets.set(group, target);
        return target;
    }

    /** What is still to be looked at for a state, and what was found. */
    private static final class Search {
        private int[] open;
        private int size;
        private int[] leaves = new int[16];
        private int found;
        private int looked;
        private boolean end;

        Search(int[] starts, int count, boolean end) {
            this.open = Arrays.copyOf(starts, Math.max(16, count));
            this.size = count;
            this.end = end;
        }

        void push(int position) {
            if (size == open.length) {
                open = Arrays.copyOf(open, 2 * size);
            }
            open[size++] = position;
        }

        void leaf(int position) {
            if (found == leaves.length) {
                leaves = Arrays.copyOf(leaves, 2 * found);
            }
            leaves[found++] = position;
        }

        State state() {
            int[] sorted = Arrays.copyOf(leaves, found);
            Arrays.sort(sorted);
            return new State(sorted, end);
        }
    }

    /** The number of the state in which a text is that has come to any of these positions, or to its end. */
    private int state(int[] starts, int count, boolean end) {
        Search search = new Search(starts, count, end);
        round++;
        while (search.size > 0) {
            int at = search.open[--search.size];
            looked = reaching(looked, at);
            if (looked[at] != round) {
                looked[at] = round;
                if (++search.looked > MOST_IN_A_STATE) {
                    throw tooComplex();
                }
                look(at, search);
            }
        }
        beyondFew += Math.max(0, search.looked - FEW);
        if (beyondFew > MOST_BEYOND_FEW) {
            throw tooComplex();
        }
        return number(search.state());
    }

    private void look(int at, Search search) {
        int rule = positions.rule(at);
        int count = positions.count(at);
        int next = positions.next(at);
        Rule what = rules[rule];
        if (what instanceof Rule.Bytes) {
            search.leaf(at);
        } else if (what instanceof Rule.Sequence && count < parts[rule].length) {
            int rest = count + 1 == parts[rule].length ? next : id(rule, count + 1, next);
            search.push(id(parts[rule][count], 0, rest));
        } else if (what instanceof Rule.Repetition repetition) {
            if (repetition.again(count) && parts[rule].length > 0) {
                int rest = id(rule, repetition.next(count), next);
                if (repetition.partMayBeEmpty() && rest != at) {
                    notAgain = reaching(notAgain, rest);
                    notAgain[rest] = round;
                }
                search.push(id(parts[rule][0], 0, rest));
            }
            if (count >= repetition.least()) {
                resume(next, search);
            }
        } else if (what instanceof Rule.Sequence) {
            resume(next, search);
        } else {
            for (int part : parts[rule]) {
                search.push(id(part, 0, next));
            }
        }
    }

    /** Continues with the position behind one that is through. */
    private void resume(int next, Search search) {
        search.end |= next == END;
        if (next != END && (next >= notAgain.length || notAgain[next] != round)) {
            search.push(next);
        }
    }

    private static int[] reaching(int[] marks, int at) {
        return at < marks.length ? marks : Arrays.copyOf(marks, Math.max(2 * marks.length, at + 1));
    }

    private int id(int rule, int count, int next) {
        int id = positions.id(rule, count, next);
        if (id + 1 == positions.size() && positions.bytes() + stateBytes > MOST_BYTES) {
            throw tooComplex();
        }
        return id;
    }

    private int number(State state) {
        Integer known = numbers.get(state);
        if (known != null) {
            return known;
        }
        state.groups = groups(state);
        stateBytes += STATE_BYTES + 4L * (state.leaves.length + state.groups.examples().length);
        if (positions.bytes() + stateBytes > MOST_BYTES) {
            throw tooComplex();
        }
        int[] unknown = new int[state.groups.examples().length];
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

    private ByteGroups groups(State state) {
        List<Rule.Bytes> different = new ArrayList<>();
        for (int leaf : state.leaves) {
            int set = shared(positions.rule(leaf));
            if (taken[set] != round) {
                taken[set] = round;
                different.add((Rule.Bytes) rules[set]);
            }
        }
        return groupings.computeIfAbsent(different, sorts -> {
            stateBytes += 2 * STATE_BYTES + 512 + 8L * sorts.size();
            return ByteGroups.of(sorts);
        });
    }

    private int shared(int rule) {
        if (shared[rule] == UNKNOWN) {
            shared[rule] = sets.computeIfAbsent(((Rule.Bytes) rules[rule]).members(), members -> rule);
        }
        return shared[rule];
    }

    /** Names the repetition of which most positions are; there is one wherever they become so many. */
    private ConfigurationException tooComplex() {
        int[] seen = new int[parts.length];
        int most = 0;
        for (int id = 0; id < positions.size(); id++) {
            int rule = positions.rule(id);
            seen[rule] += rules[rule] instanceof Rule.Repetition ? 1 : 0;
            most = seen[rule] > seen[most] ? rule : most;
        }
        String part = rules[most] instanceof Rule.Repetition repetition ? repetition.description() : "a part of it";
        return new ConfigurationException((description.length() <= LONGEST_DESCRIPTION ? description
                : description.substring(0, LONGEST_DESCRIPTION) + "...") + " is too complex: " + part
                + " fits the same "
                + "text in too many ways; repeat less often, or say more exactly what comes");
    }
}
