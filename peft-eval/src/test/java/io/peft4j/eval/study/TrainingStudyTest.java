package io.peft4j.eval.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.study.TrainingStudy.Curve;
import io.peft4j.eval.study.TrainingStudy.Point;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What trainings of several sizes and seeds say. */
class TrainingStudyTest {
    private static Point point(int examples) {
        return new Point(examples + " examples", examples, 1 - 2 * Math.pow(examples, -0.5));
    }

    @Test
    void theCurvePredictsTheGainOfMoreExamples() {
        TrainingStudy study = TrainingStudy.of("contains", List.of(point(160), point(40), point(80)), List.of());
        Curve curve = study.curve().orElseThrow();
        assertEquals(List.of(40, 80, 160), study.points().stream().map(Point::examples).toList());
        assertEquals(0.5, curve.exponent(), 1e-9, "the planted power law");
        assertEquals(point(260).score() - point(160).score(), curve.gain(), 1e-9);
        assertTrue(curve.gainInterval().contains(curve.gain()));
        assertTrue(study.spread().isEmpty());
    }

    @Test
    void seedsAreSpread() {
        TrainingStudy study = TrainingStudy.of("contains", List.of(), List.of(new Point("tuned", 0, 0.8),
                new Point("seed 1", 0, 0.9), new Point("seed 2", 0, 0.7)));
        assertEquals(0.8, study.spread().orElseThrow().mean(), 1e-12);
        assertEquals(0.1, study.spread().orElseThrow().standardDeviation(), 1e-12);
    }

    @Test
    void tooFewTrainingsGiveNoCurve() {
        assertThrows(ConfigurationException.class,
                () -> TrainingStudy.of("contains", List.of(point(40), point(80), point(80)), List.of()));
        assertThrows(ConfigurationException.class,
                () -> TrainingStudy.of("contains", List.of(), List.of(point(40))));
        assertThrows(ConfigurationException.class, () -> TrainingStudy.of("contains", List.of(), List.of()));
        assertThrows(ConfigurationException.class, () -> new Point("x", 5, Double.NaN));
    }

    @Test
    void smallerSetsAreSubsetsOfLargerOnes() {
        List<ChatExample> examples = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            examples.add(ChatExample.of(ChatMessage.user("Question " + i), ChatMessage.assistant("Answer " + i)));
        }
        List<List<ChatExample>> taught = new ArrayList<>();
        List<Long> seeds = new ArrayList<>();
        List<Borrowed> models = new ArrayList<>();
        List<EvaluationItem> items = List.of(EvaluationItem.fact("Who?", "nobody"),
                EvaluationItem.fact("Where?", "nowhere"));
        try (BaseModel base = BaseModel.load("../tests/fixtures/tiny-llama")) {
            TrainingStudy study = StudyRunner.of((some, seed) -> {
                taught.add(some.examples());
                seeds.add(seed);
                models.add(new Borrowed(base));
                return models.get(models.size() - 1);
            }).sizes(3, 6, 12).seeds(7, 8).on(ChatDataset.of(examples), items);
            assertEquals(List.of(3, 6, 12, 12), taught.stream().map(List::size).toList());
            assertEquals(List.of(7L, 7L, 7L, 8L), seeds);
            assertTrue(new HashSet<>(taught.get(1)).containsAll(taught.get(0))
                    && new HashSet<>(taught.get(2)).containsAll(taught.get(1)));
            assertEquals(3, study.points().size());
            assertEquals(List.of("seed 7", "seed 8"), study.seeds().stream().map(Point::name).toList());
            assertTrue(models.stream().allMatch(model -> model.closed == 1), "each was closed");
            assertThrows(ConfigurationException.class, () -> StudyRunner.of((some, seed) -> base).sizes(3, 6, 13)
                    .on(ChatDataset.of(examples), items));
        }
    }

    /** A model that can be closed without closing the one behind it. */
    private static final class Borrowed implements LanguageModel, AutoCloseable {
        private final LanguageModel model;
        private int closed;

        Borrowed(LanguageModel model) {
            this.model = model;
        }

        @Override
        public Network network() {
            return model.network();
        }

        @Override
        public ModelLease lease() {
            return model.lease();
        }

        @Override
        public Engine engine() {
            return model.engine();
        }

        @Override
        public Tokenizer tokenizer() {
            return model.tokenizer();
        }

        @Override
        public Optional<ChatTemplate> chatTemplate() {
            return model.chatTemplate();
        }

        @Override
        public List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
            return model.generate(prompts, options);
        }

        @Override
        public void close() {
            closed++;
        }
    }
}
