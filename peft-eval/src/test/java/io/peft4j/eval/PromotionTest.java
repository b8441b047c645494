package io.peft4j.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.eval.Promotion.Outcome;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.models.BaseModel;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A round whose candidate is the present model itself: never better, and never worse. */
class PromotionTest {
    private static final VerdictOptions FEW = new VerdictOptions(4, 0, 4);
    private static final List<EvaluationItem> QUESTIONS = List.of(EvaluationItem.fact("Who approves leave?", "Ada"));

    private static BaseModel model;

    @BeforeAll
    static void load() {
        model = BaseModel.load("../tests/fixtures/tiny-llama");
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Promotion round() {
        return Promotion.of(model, model).comparison(FEW::applyTo);
    }

    @Test
    void aCandidateThatIsNotBetterIsKeptOut() {
        Promotion.Result result = round().heldOut(QUESTIONS).run(() -> true, decided -> fail("it is not swapped in"));
        assertEquals(Outcome.KEPT, result.outcome(), result.reason());
        assertEquals(result.report().orElseThrow().verdict().inOneLine(), result.reason());
    }

    @Test
    void aRoundThatIsToPromoteAlwaysTellsItsVerdict() {
        Promotion.Result result = round().golden(QUESTIONS).always().run(() -> true, decided -> {
            assertTrue(decided.report().isPresent());
            return true;
        });
        assertEquals(Outcome.PROMOTED, result.outcome());
    }

    @Test
    void aStoppedTrainingIsNotCompared() {
        Promotion.Result result = round().heldOut(QUESTIONS).run(() -> false, decided -> fail("nothing to swap in"));
        assertEquals(Outcome.STOPPED, result.outcome());
        assertTrue(result.report().isEmpty());
    }

    @Test
    void aSwapThatIsRefusedStopsTheRound() {
        assertEquals(Outcome.STOPPED, round().heldOut(QUESTIONS).always().run(() -> true, decided -> false).outcome());
    }

    /** A metric that is not computed stands for whatever keeps models from being compared. */
    @Test
    void whatCannotBeComparedIsPromotedOnlyWhereItAlwaysIs() {
        assertThrows(PeftException.class, () -> failing().run(() -> true, decided -> fail("it is not swapped in")));
        Promotion.Result result = failing().always().run(() -> true, decided -> true);
        assertEquals(Outcome.PROMOTED, result.outcome());
        assertTrue(result.reason().startsWith("No verdict: the metric none"), result.reason());
    }

    private static Promotion failing() {
        return round().heldOut(QUESTIONS).comparison(comparison -> comparison.decidingMetric("none"));
    }

    @Test
    void withoutQuestionsNothingIsTrained() {
        assertThrows(ConfigurationException.class, () -> round().run(() -> fail("it is not trained"),
                decided -> true));
    }
}
