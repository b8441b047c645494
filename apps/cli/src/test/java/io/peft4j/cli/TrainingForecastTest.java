package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingPlan;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingForecastTest {
    private final StringWriter said = new StringWriter();
    private final TrainingForecast forecast = new TrainingForecast(new Console(new PrintWriter(new StringWriter()),
            new PrintWriter(said, true)), new PriceOptions());

    private void steps(int from, int to, double seconds) {
        for (int step = from; step <= to; step++) {
            forecast.onStep(new StepMetrics(step, 0, 1, 1e-3, 1, 100, 50, seconds, (100 - step) * seconds));
        }
    }

    private List<String> estimates() {
        return said.toString().lines().filter(line -> line.startsWith("estimate:")).toList();
    }

    @Test
    void timeIsSaidAgainWhereUpdatesBecomeSlower() {
        forecast.onStart(new TrainingPlan(100, 0, 100, 50, 100, 100, 0, 7, Map.of(), ""));
        steps(1, 40, 2);
        assertEquals(1, estimates().size(), "the same pace: " + said);
        assertTrue(estimates().get(0).contains("assumed that updates take as long as the first ones"), said.toString());
        steps(41, 70, 6);
        int slower = estimates().size();
        assertTrue(slower > 1, said.toString());
        assertTrue(estimates().stream().skip(1).allMatch(line -> line.matches(
                "estimate: .* in all now: updates take [1-3]\\.\\d times as long as before")), said.toString());
        steps(71, 90, 6);
        assertEquals(slower, estimates().size(), "the new pace: " + said);
    }
}
