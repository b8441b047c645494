package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.metric.SquadScores;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Whether a model says the same when it is asked the same: in other words, or several times with draws.
 *
 * @param groups number of groups of two answers or more
 * @param consistent number of groups whose answers all agree
 * @param agreement mean share of pairs in a group that agree, from 0 to 1
 */
@Internal
public record Consistency(int groups, int consistent, double agreement) {
    /**
     * Of answers to wordings of the same question: items with the same facts, or the same references where they name
     * none, are one group. Two answers agree when both hold the facts, or say the same by SQuAD's rules.
     *
     * @throws ConfigurationException when no two items ask for the same
     */
    public static Consistency ofWordings(List<EvaluationItem> items, List<String> answers) {
        Map<String, List<Integer>> groups = new LinkedHashMap<>();
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i).namesFacts()) {
                groups.computeIfAbsent(items.get(i).expected(), key -> new ArrayList<>()).add(i);
            }
        }
        List<List<String>> said = groups.values().stream().map(places -> places.stream()
                .map(i -> items.get(i).isAnsweredBy(answers.get(i)) ? "right" : "said " + answers.get(i)).toList())
                .toList();
        return ofGroups(said);
    }

    /** Whether two items ask for the same, so that {@link #ofWordings} has something to compare. */
    public static boolean hasWordings(List<EvaluationItem> items) {
        List<String> expected = items.stream().filter(EvaluationItem::namesFacts).map(EvaluationItem::expected)
                .toList();
        return new HashSet<>(expected).size() < expected.size();
    }

    /** Of groups of answers; groups of one answer are left out. */
    public static Consistency ofGroups(List<List<String>> groups) {
        int count = 0;
        int consistent = 0;
        double agreement = 0;
        for (List<String> group : groups) {
            if (group.size() < 2) {
                continue;
            }
            List<String> plain = group.stream().map(SquadScores::normalize).toList();
            long pairs = (long) plain.size() * (plain.size() - 1) / 2;
            long same = IntStream.range(0, plain.size()).mapToLong(i -> IntStream.range(0, i)
                    .filter(j -> plain.get(i).equals(plain.get(j))).count()).sum();
            count++;
            consistent += same == pairs ? 1 : 0;
            agreement += (double) same / pairs;
        }
        if (count == 0) {
            throw new ConfigurationException("no question is asked twice, so consistency cannot be measured");
        }
        return new Consistency(count, consistent, agreement / count);
    }

    /**
     * Checks a number of draws and their temperature before anything is asked.
     *
     * @throws ConfigurationException when there are fewer than two, or they would all be alike
     */
    public static void requireDraws(int times, double temperature) {
        if (!(temperature > 0) || times < 2) {
            throw new ConfigurationException("consistency of draws needs a temperature above 0 and two draws; got "
                    + temperature + " and " + times);
        }
    }

    /**
     * Of each question asked {@code times} times with draws.
     *
     * @param answerer a model with a temperature above 0
     */
    @Internal
    public static Consistency ofDraws(Answerer answerer, List<EvaluationItem> items, int times) {
        requireDraws(times, answerer.options().sampling().temperature());
        List<EvaluationItem> asked = new ArrayList<>();
        items.forEach(item -> asked.addAll(Collections.nCopies(times, item)));
        List<String> answers = answerer.answers(asked);
        return ofGroups(IntStream.range(0, items.size())
                .mapToObj(i -> answers.subList(i * times, (i + 1) * times)).toList());
    }
}
