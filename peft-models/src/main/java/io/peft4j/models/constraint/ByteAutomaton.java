package io.peft4j.models.constraint;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import java.util.BitSet;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.ByteRunAutomaton;
import org.apache.lucene.util.automaton.Operations;
import org.apache.lucene.util.automaton.TooComplexToDeterminizeException;
import org.apache.lucene.util.automaton.UTF32ToUTF8;

/** A constraint as Lucene's automaton over bytes, without states that lead nowhere. */
final class ByteAutomaton implements TextConstraint {
    /** What Lucene may spend on an automaton; the schema of a large form takes about a hundredth. */
    static final int WORK_LIMIT = 5_000_000;

    private final String description;
    private final ByteRunAutomaton automaton;
    private final BitSet goingOn = new BitSet();

    /**
     * The texts that an automaton over code points accepts.
     *
     * @throws ConfigurationException when it accepts none, or has too many states
     */
    ByteAutomaton(String description, Automaton characters) {
        this.description = description;
        Automaton bytes;
        try {
            bytes = Operations.removeDeadStates(
                    Operations.determinize(new UTF32ToUTF8().convert(characters), WORK_LIMIT));
        } catch (TooComplexToDeterminizeException e) {
            throw tooComplex(description, e);
        }
        if (Operations.isEmpty(bytes)) {
            throw new ConfigurationException(description + " allows no text at all");
        }
        automaton = new ByteRunAutomaton(bytes, true, WORK_LIMIT);
        for (int state = 0; state < bytes.getNumStates(); state++) {
            goingOn.set(state, bytes.getNumTransitions(state) > 0);
        }
    }

    static ConfigurationException tooComplex(String description, TooComplexToDeterminizeException e) {
        return new ConfigurationException(description + " is too complex: nest less deeply, repeat less often, or leave"
                + " out bounds on lengths", e);
    }

    @Override
    public int start() {
        return 0;
    }

    @Override
    public int step(int state, int value) {
        return automaton.step(state, value);
    }

    @Override
    public boolean mayEnd(int state) {
        return automaton.isAccept(state);
    }

    @Override
    public boolean mayGoOn(int state) {
        return goingOn.get(state);
    }

    @Override
    public String description() {
        return description;
    }
}
