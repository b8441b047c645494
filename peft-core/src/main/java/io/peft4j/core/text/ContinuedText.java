package io.peft4j.core.text;

import java.util.Arrays;
import java.util.OptionalInt;

/** A text before its continuation. */
final class ContinuedText {
    private ContinuedText() {
    }

    static int[] encode(Tokenizer tokenizer, String text) {
        int[] ids = tokenizer.encodeWithSpecials(text);
        OptionalInt bos = tokenizer.bosId();
        int from = ids.length > 1 && bos.isPresent() && ids[0] == bos.getAsInt() && ids[1] == ids[0] ? 1 : 0;
        int to = ids.length;
        if (endsWith(ids, to, tokenizer.eosId())) {
            // One id may stand for both begin and end: what begins the text stays.
            int begin = bos.isPresent() && ids[from] == bos.getAsInt() ? from + 1 : from;
            int own = trailing(tokenizer.encode(text), tokenizer.eosId());
            int all = Math.min(trailing(ids, tokenizer.eosId()), to - begin);
            to -= Math.max(0, all - own);
        }
        return Arrays.copyOfRange(ids, from, to);
    }

    private static int trailing(int[] ids, OptionalInt id) {
        int count = 0;
        while (endsWith(ids, ids.length - count, id)) {
            count++;
        }
        return count;
    }

    private static boolean endsWith(int[] ids, int length, OptionalInt id) {
        return length > 0 && id.isPresent() && ids[length - 1] == id.getAsInt();
    }
}
