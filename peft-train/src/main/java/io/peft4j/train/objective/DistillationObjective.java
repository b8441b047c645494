package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.EncodedChats;
import io.peft4j.data.example.ChatExample;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Distillation (<a href="https://arxiv.org/abs/1503.02531">1503.02531</a>): the model learns what another one, the
 * teacher, expects in each place of an answer, and not only which token is there. The loss of a supervised token is
 * {@code (1 - w) CE + w T^2 KL(t || s)}: CE is its cross-entropy, t and s are the distributions of teacher and student
 * with their logits divided by the temperature T, w is the teacher's share.
 *
 * <pre>{@code
 * try (PeftModel teacher = large.withAdapter(Path.of("handbook-adapter"))) {
 *     Trainer.builder(small).build().train(new DistillationObjective(small, teacher), chats.examples());
 * }
 * }</pre>
 *
 * <p>Measured: {@code nll} and {@code teacher_kl}, the means of both terms without their factors. The teacher is
 * another loaded model with the same vocabulary, or the same base with another adapter; it must stay open.
 */
public final class DistillationObjective implements Objective<ChatExample> {
    /** The default temperature. */
    public static final double TEMPERATURE = 2;
    /** The default share of the teacher. */
    public static final double SHARE = 0.5;
    private static final String SAMPLE = "Ada said: 3 + 4 = 7, \u00e9t\u00e9, \u4f60\u597d!\n\tx_1 <tag>";

    private final LanguageModel student;
    private final LanguageModel teacher;
    private final double temperature;
    private final double share;

    /** The objective with the defaults. */
    public DistillationObjective(LanguageModel student, LanguageModel teacher) {
        this(student, teacher, TEMPERATURE, SHARE);
    }

    /**
     * The objective for a model.
     *
     * @param student the model that is trained
     * @param teacher the model that it learns from
     * @param temperature above 0; higher means that what the teacher thinks less likely counts more
     * @param share the teacher's share of the loss, above 0 and at most 1
     * @throws ConfigurationException when a value is out of range, or the models have different vocabularies
     */
    public DistillationObjective(LanguageModel student, LanguageModel teacher, double temperature, double share) {
        this.student = Objects.requireNonNull(student, "student");
        this.teacher = Objects.requireNonNull(teacher, "teacher");
        this.temperature = temperature;
        this.share = requireShare(share);
        DpoOptions.requireAboveZero("the temperature", temperature);
        student.network().causal();
        teacher.network().causal();
        int ours = student.network().description().vocabularySize();
        int theirs = teacher.network().description().vocabularySize();
        if (ours != theirs || !Arrays.equals(student.tokenizer().encode(SAMPLE), teacher.tokenizer().encode(SAMPLE))) {
            throw new ConfigurationException("a teacher must have the tokenizer of its student, since each token's "
                    + "logits are compared; " + teacher.network().description().name() + " has " + theirs
                    + " tokens, " + student.network().description().name() + " has "
                    + (ours == theirs ? "as many but others" : String.valueOf(ours)));
        }
    }

    private static double requireShare(double share) {
        if (share > 0 && share <= 1) {
            return share;
        }
        throw new ConfigurationException("the teacher's share is " + share + "; it must be above 0 and at most 1");
    }

    @Override
    public String name() {
        return "distillation";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("temperature", String.valueOf(temperature), "teacher_share", String.valueOf(share), "teacher",
                teacher.network().description().name());
    }

    @Override
    public List<EncodedExample> encode(ChatExample example) {
        return List.of(EncodedExample.of(encoder().encode(example)));
    }

    @Override
    public EncodedExamples encode(List<ChatExample> examples, DataSetup setup) {
        try (ModelLease lease = teacher.lease()) {
            EncodedChats encoded = encoder().encode(ChatDataset.of(examples),
                    Math.min(setup.maxLength(), lease.maxPositions()));
            return new EncodedExamples(encoded.sequences().stream().map(EncodedExample::of).toList(),
                    encoded.tooLong().size());
        }
    }

    private ChatEncoder encoder() {
        return ChatEncoder.of(student);
    }

    @Override
    public double backward(Passes passes, List<EncodedExample> batch, double normalizer) {
        return lesson().backward(passes, 0, lessons(batch), EncodedExample.weight(batch), normalizer);
    }

    @Override
    public double loss(Passes passes, List<EncodedExample> batch) {
        return lesson().loss(passes, lessons(batch));
    }

    private TeacherLoss lesson() {
        return new TeacherLoss(student, teacher, false, new DistilledToken(temperature, share,
                student.network().description().vocabularySize()), "nll", "teacher_kl");
    }

    private static List<TeacherLoss.Lesson> lessons(List<EncodedExample> batch) {
        return EncodedExample.sequences(batch).stream().map(TeacherLoss.Lesson::of).toList();
    }

    @Override
    public String toString() {
        return "objective " + name();
    }

    /** The objective by its name. */
    public static final class Type extends ObjectiveType<ChatExample> {
        private static final ObjectiveOption<String> TEACHER = ObjectiveOption.optional("teacher", String.class,
                "ID|DIR|FILE.gguf", "the model that is learned from; the base where only an adapter is given");
        private static final ObjectiveOption<Path> ADAPTER = ObjectiveOption.optional("teacher-adapter", Path.class,
                "DIR", "an adapter on the teacher");
        private static final ObjectiveOption<Double> HEAT = ObjectiveOption.number("temperature", "T",
                "what logits are divided by", TEMPERATURE);
        private static final ObjectiveOption<Double> WEIGHT = ObjectiveOption.number("teacher-share", "X",
                "the teacher's share of the loss, the rest is that of the answers", SHARE);

        /** What is registered. */
        public Type() {
            super("distillation", ChatDataset.ROWS, "the answers of chats, as a teacher would give them", TEACHER,
                    ADAPTER,
                    HEAT, WEIGHT, ObjectiveOption.MAX_LENGTH);
        }

        /** Of the encoding alone, which needs no teacher. */
        @Override
        protected Function<LanguageModel, Objective<ChatExample>> objective(ObjectiveValues values) {
            return ChatObjective::new;
        }

        @Override
        public Function<ObjectiveModels, Objective<ChatExample>> with(ObjectiveValues values) {
            if (values.find(TEACHER).isEmpty() && values.find(ADAPTER).isEmpty()) {
                throw new ConfigurationException("distillation needs a teacher: a model, an adapter on the base, or "
                        + "both");
            }
            double temperature = DpoOptions.requireAboveZero("the temperature", values.get(HEAT));
            double share = requireShare(values.get(WEIGHT));
            return models -> new DistillationObjective(models.trained(), models.open(values.find(TEACHER),
                    values.find(ADAPTER)), temperature, share);
        }
    }
}
