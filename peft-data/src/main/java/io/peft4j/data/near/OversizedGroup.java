package io.peft4j.data.near;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Pairs of a group whose members met by a hash. Of a crowded group not all pairs are looked at, but those that stand
 * near when its texts are sorted, and near when they are sorted from their ends.
 */
final class OversizedGroup {
    private static final int WINDOW = 8;

    private OversizedGroup() {
    }

    /**
     * Tells of pairs, the smaller number first; one may be told of twice.
     *
     * @param large up to this size all pairs are reported
     * @param text texts to order a larger group by
     */
    static void pairs(int[] members, int large, IntFunction<String> text, CandidatePairs.Pairs pairs) {
        if (members.length <= large) {
            window(members, members.length, pairs);
            return;
        }
        record Keyed(String key, int member) {
        }

        List<Keyed> keyed = Arrays.stream(members).mapToObj(m -> new Keyed(text.apply(m), m)).toList();
        window(keyed.stream().sorted((a, b) -> a.key().compareTo(b.key())).mapToInt(Keyed::member).toArray(), WINDOW,
                pairs);
        window(keyed.stream().map(k -> new Keyed(new StringBuilder(k.key()).reverse().toString(), k.member()))
                .sorted((a, b) -> a.key().compareTo(b.key())).mapToInt(Keyed::member).toArray(), WINDOW, pairs);
    }

    private static void window(int[] members, int width, CandidatePairs.Pairs pairs) {
        for (int i = 0; i < members.length; i++) {
            for (int j = i + 1; j < members.length && j - i < width; j++) {
                pairs.accept(Math.min(members[i], members[j]), Math.max(members[i], members[j]));
            }
        }
    }
}
