package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Any text, in which what begins a call is followed by the rest of it. States below the number of places are free text,
 * told apart by the thought that it is in and by how much of a mark it ends with; others are those of what follows.
 */
final class CallConstraint implements TextConstraint {
    private static final int VALUES = 256;

    private final String description;
    private final List<TextConstraint> calls;
    private final boolean several;
    /** What ends the thought that the text is in, a zero, and the beginning of a mark; each character is a byte. */
    private final List<String> places = new ArrayList<>();
    /** Of places, and of those where a mark is complete. */
    private final Map<String, Integer> states = new HashMap<>();
    private final AtomicReferenceArray<int[]> steps;
    private final int start;

    /**
     * Texts with calls.
     *
     * @param calls what follows each of the marks that begin one
     * @param thoughts what ends a thought, by what begins it
     * @param thought the mark by which the text begins within a thought
     * @param several whether text may follow a call
     */
    CallConstraint(String description, Map<String, TextConstraint> calls, Map<String, String> thoughts,
            Optional<String> thought, boolean several) {
        this.description = description;
        this.calls = List.copyOf(calls.values());
        this.several = several;
        calls.keySet().forEach(mark -> add("", mark));
        thoughts.keySet().forEach(mark -> add("", mark));
        thoughts.values().forEach(end -> add(end, end));
        thoughts.forEach((begin, end) -> {
            states.put(place("", begin), states.get(place(end, "")));
            states.put(place(end, end), 0);
        });
        calls.forEach((mark, call) -> states.put(place("", mark), within(this.calls.indexOf(call), call.start())));
        this.steps = new AtomicReferenceArray<>(places.size());
        this.start = thought.map(begin -> states.get(place("", begin))).orElse(0);
    }

    private void add(String end, String mark) {
        String whole = place(end, mark);
        for (int length = place(end, "").length(); length < whole.length(); length++) {
            if (states.putIfAbsent(whole.substring(0, length), places.size()) == null) {
                places.add(whole.substring(0, length));
            }
        }
    }

    private static String place(String end, String mark) {
        return new String((end + '\0' + mark).getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    private int within(int call, int state) {
        return places.size() + state * calls.size() + call;
    }

    private boolean isFree(int state) {
        return state < places.size();
    }

    private TextConstraint call(int state) {
        return calls.get((state - places.size()) % calls.size());
    }

    private int inner(int state) {
        return (state - places.size()) / calls.size();
    }

    @Override
    public int start() {
        return start;
    }

    @Override
    public int step(int state, int value) {
        if (isFree(state)) {
            if (steps.get(state) == null) {
                steps.set(state, steps(places.get(state)));
            }
            return steps.get(state)[value];
        }
        try {
            int next = call(state).step(inner(state), value);
            return next != NONE ? within((state - places.size()) % calls.size(), next)
                    : several && mayEnd(state) ? step(0, value) : NONE;
        } catch (ConfigurationException e) {
            // The schemas are too complex to be followed further: the call is text like any other.
            return 0;
        }
    }

    private int[] steps(String place) {
        int[] all = new int[VALUES];
        int from = place.indexOf('\0') + 1;
        for (int value = 0; value < VALUES; value++) {
            String seen = place.substring(from) + (char) value;
            while (!states.containsKey(place.substring(0, from) + seen)) {
                seen = seen.substring(1);
            }
            all[value] = states.get(place.substring(0, from) + seen);
        }
        return all;
    }

    @Override
    public boolean mayEnd(int state) {
        return isFree(state) || call(state).mayEnd(inner(state));
    }

    @Override
    public boolean mayGoOn(int state) {
        return isFree(state) || several || call(state).mayGoOn(inner(state));
    }

    @Override
    public long bytes() {
        return (long) Integer.BYTES * VALUES * places.size() + calls.stream().mapToLong(TextConstraint::bytes).sum();
    }

    @Override
    public String description() {
        return description;
    }
}
