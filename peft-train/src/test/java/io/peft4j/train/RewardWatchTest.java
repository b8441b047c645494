package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class RewardWatchTest {
    private static List<RewardWatch.Finding> found(int steps, IntFunction<Map<String, Double>> measures) {
        RewardWatch watch = new RewardWatch();
        List<RewardWatch.Finding> found = new ArrayList<>();
        for (int i = 1; i <= steps; i++) {
            watch.onStep(new StepMetrics(i, i, 0, 1e-3, 1, 10, 5, 0.1, 1, measures.apply(i))).ifPresent(found::add);
        }
        return found;
    }

    private static Map<String, Double> sampled(double reward, double length, double cut) {
        Map<String, Double> measures = new LinkedHashMap<>(Map.of("reward", reward, "ungraded", 0.0));
        measures.put("completions/mean_length", length);
        measures.put("completions/clipped_ratio", cut);
        measures.put("frac_reward_zero_std", 0.2);
        return measures;
    }

    private static double noisy(SplittableRandom random, double mean) {
        return mean + 0.08 * random.nextGaussian();
    }

    @Test
    void risingAndNoisyRewardsAreQuiet() {
        SplittableRandom random = new SplittableRandom(1);
        assertEquals(List.of(), found(300, i -> sampled(noisy(random, 0.2 + i / 600.0), 30 + i / 10.0, i / 400.0)));
    }

    /** One answer in a hundred is right, so that whole stretches have no reward. */
    @Test
    void rareRewardsAreNoFall() {
        SplittableRandom random = new SplittableRandom(2);
        assertEquals(List.of(), found(500, i -> {
            int right = 0;
            for (int k = 0; k < 32; k++) {
                right += random.nextInt(100) == 0 ? 1 : 0;
            }
            return sampled(right / 32.0, 30, 0);
        }));
    }

    @Test
    void aFallOfTheRewardIsACollapse() {
        SplittableRandom random = new SplittableRandom(3);
        List<RewardWatch.Finding> found = found(60, i -> sampled(noisy(random, i <= 40 ? 0.7 : 0.1), 30, 0));
        assertEquals(1, found.size(), found.toString());
        assertTrue(found.get(0).isCollapse());
        assertTrue(found.get(0).text().matches("update (4\\d|50): the reward fell from 0\\.7\\d\\d to 0\\.\\d+ .*"),
                found.get(0).text());
    }

    @Test
    void answersThatGrowToTheLimitAreACollapse() {
        List<RewardWatch.Finding> found = found(60, i -> sampled(0.5, i <= 30 ? 20 : 64, i <= 30 ? 0.1 : 0.95));
        assertEquals(1, found.size(), found.toString());
        assertTrue(found.get(0).isCollapse());
        assertTrue(found.get(0).text().contains("answers have grown from 20 tokens to "), found.get(0).text());
    }

    @Test
    void answersThatAreLongFromTheBeginningAreNone() {
        assertEquals(List.of(), found(60, i -> sampled(0.5, 64, 0.95)));
    }

    @Test
    void mostGroupsWithoutDifferenceAreToldAndNoCollapse() {
        List<RewardWatch.Finding> found = found(60, i -> {
            Map<String, Double> measures = sampled(0.9, 20, 0);
            measures.put("frac_reward_zero_std", i <= 20 ? 0.25 : 0.75);
            return measures;
        });
        assertEquals(1, found.size(), found.toString());
        assertFalse(found.get(0).isCollapse());
        assertTrue(found.get(0).text().contains("these teach nothing"), found.get(0).text());
    }

    /** Their order is that of the data. */
    @Test
    void rewardsThatCameWithTheDataDoNotCollapse() {
        assertEquals(List.of(), found(60, i -> Map.of("reward", i <= 30 ? 0.9 : 0.0)));
    }
}
