package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * What became of the facts of a former edition in answers to questions of the next one: items are named by their places
 * in the data.
 *
 * @param items the questions
 * @param changed those whose right answer is another one now
 * @param learned of {@code changed}, those that are answered right
 * @param stillFormer of {@code changed}, those whose answer is right by the former edition and not by this one
 * @param unchanged those whose right answer is the former one
 * @param kept of {@code unchanged}, those that are answered right
 * @param added those that the former edition does not have
 * @param addedRight of {@code added}, those that are answered right
 */
@Internal
public record NextEdition(List<EvaluationItem> items, List<Integer> changed, List<Integer> learned,
        List<Integer> stillFormer, List<Integer> unchanged, List<Integer> kept, List<Integer> added,
        List<Integer> addedRight) {
    /** Copies the lists. */
    public NextEdition {
        items = List.copyOf(items);
        changed = List.copyOf(changed);
        learned = List.copyOf(learned);
        stillFormer = List.copyOf(stillFormer);
        unchanged = List.copyOf(unchanged);
        kept = List.copyOf(kept);
        added = List.copyOf(added);
        addedRight = List.copyOf(addedRight);
    }

    /** Looks at answers; empty where no item has a former answer. */
    public static Optional<NextEdition> of(List<EvaluationItem> items, List<String> answers) {
        if (items.stream().allMatch(item -> item.further().former().isEmpty())) {
            return Optional.empty();
        }
        List<Integer> all = IntStream.range(0, items.size()).boxed().toList();
        IntPredicate right = i -> items.get(i).isAnsweredBy(answers.get(i));
        List<Integer> changed = some(all, i -> items.get(i).isChanged());
        List<Integer> unchanged = some(all, i -> items.get(i).isUnchanged());
        List<Integer> added = some(all, i -> items.get(i).further().former().isEmpty());
        return Optional.of(new NextEdition(items, changed, some(changed, right), some(changed, i -> !right.test(i)
                && items.get(i).further().former().orElseThrow().isAnsweredBy(answers.get(i))), unchanged, some(
                        unchanged, right),
                added, some(added, right)));
    }

    private static List<Integer> some(List<Integer> places, IntPredicate which) {
        return places.stream().filter(which::test).toList();
    }

    /** What to do about what is wrong, as sentences; one where nothing is. */
    public List<String> advice() {
        List<String> sentences = new ArrayList<>();
        if (!stillFormer.isEmpty()) {
            sentences.add("Still the former answer: " + some(stillFormer, changed) + ", for instance '" + items.get(
                    stillFormer.get(0)).further().former().orElseThrow().expected()
                    + "' to " + question(stillFormer) + ". Train on for more epochs, or again from the base, and leave "
                    + "no row of the former edition among the data.");
        }
        List<Integer> neither = some(changed, i -> !learned.contains(i) && !stillFormer.contains(i));
        if (!neither.isEmpty()) {
            sentences.add("Neither the former answer nor the new one: " + some(neither, changed) + ", for instance to "
                    + question(neither) + ". Write these facts in more wordings.");
        }
        List<Integer> lost = some(unchanged, i -> !kept.contains(i));
        if (!lost.isEmpty()) {
            sentences.add("Unchanged and wrong: " + lost.size() + " of " + unchanged.size() + ", for instance to "
                    + question(lost) + ". Train on all rows of the new edition, not only on those that changed.");
        }
        if (sentences.isEmpty()) {
            sentences.add("No former answer is left, and the unchanged ones are still right.");
        }
        return sentences;
    }

    private static String some(List<Integer> some, List<Integer> changed) {
        return some.size() + " of " + changed.size() + " that changed";
    }

    private String question(List<Integer> some) {
        return "'" + items.get(some.get(0)).question() + "'";
    }
}
