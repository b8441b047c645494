package io.peft4j.train.objective;

import io.peft4j.data.Masking;
import java.util.Optional;

/**
 * An option of an objective that is chosen by its name: on the command line {@code --name}.
 *
 * @param name words with strokes, such as {@code teacher-share}; options of one name are one for all objectives
 * @param type what its value is, such as {@code Double.class}
 * @param label a letter or a choice that stands for the value, such as {@code X} or {@code base|start}
 * @param about what it does, without a full stop
 * @param usual the value where none is given; empty: there is none
 */
public record ObjectiveOption<T>(String name, Class<T> type, String label, String about, Optional<T> usual) {
    /** What is learned of conversations; a training has it. */
    public static final ObjectiveOption<Masking> MASKING = new ObjectiveOption<>("learn", Masking.class, "", "",
            Optional.of(Masking.ASSISTANT));
    /** The share of a target that is spread; a training has it, {@link Objective#withLabelSmoothing} takes it. */
    public static final ObjectiveOption<Double> LABEL_SMOOTHING = new ObjectiveOption<>("label-smoothing", Double.class,
            "", "", Optional.empty());
    /** {@link DataSetup#maxLength}; a training has it. */
    public static final ObjectiveOption<Integer> MAX_LENGTH = new ObjectiveOption<>("max-length", Integer.class, "", "",
            Optional.empty());

    /** A number. */
    public static ObjectiveOption<Double> number(String name, String label, String about, double usual) {
        return new ObjectiveOption<>(name, Double.class, label, about, Optional.of(usual));
    }

    /** A word. */
    public static ObjectiveOption<String> word(String name, String label, String about, String usual) {
        return new ObjectiveOption<>(name, String.class, label, about, Optional.of(usual));
    }

    /** An option without a usual value. */
    public static <T> ObjectiveOption<T> optional(String name, Class<T> type, String label, String about) {
        return new ObjectiveOption<>(name, type, label, about, Optional.empty());
    }
}
