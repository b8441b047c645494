package io.peft4j.data.near;

import io.peft4j.core.Internal;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.example.TextExample;
import io.peft4j.data.format.Mojibake;
import java.text.Normalizer;
import java.util.List;

/** A number that is the same for examples that are equal but for white space and the spelling of characters. */
@Internal
public final class ExactKey {
    private ExactKey() {
    }

    /** The number of an example: a hash of 64 bits of the roles, the texts and the task. */
    public static long of(Example example) {
        String task = task(example);
        return task.isEmpty() ? ofTexts(example) : Hashing.and(ofTexts(example), Hashing.of(task));
    }

    /** The task that an example names; empty where it names none. */
    static String task(Example example) {
        int task = TaskIds.of(example.extra());
        return task == TokenSequence.NO_TASK ? "" : String.valueOf(task);
    }

    private static long ofTexts(Example example) {
        if (example instanceof TextExample text) {
            return Hashing.and(7, collapsed(Mojibake.mended(text.text())));
        }
        ChatExample chat = example.toChat().orElseThrow();
        long key = 0;
        for (ChatMessage message : chat.messages()) {
            key = and(key, message);
        }
        List<ChatMessage> rejected = example instanceof PreferenceExample pair ? pair.rejected() : List.of();
        key = rejected.isEmpty() ? key : Hashing.and(key, rejected.size());
        for (ChatMessage message : rejected) {
            key = and(key, message);
        }
        return key;
    }

    private static long and(long key, ChatMessage message) {
        return Hashing.and(Hashing.and(key, Hashing.of(message.role())), collapsed(told(message)));
    }

    /** What a message says, as it was meant where it was read in a wrong encoding. */
    static String told(ChatMessage message) {
        Object calls = message.extra().get("tool_calls");
        return Mojibake.mended(calls == null ? message.content() : message.content() + " " + calls);
    }

    /** A hash of a text in which any white space is one space, and any spelling of a character is the same. */
    static long collapsed(String text) {
        String same = Normalizer.isNormalized(text, Normalizer.Form.NFC) ? text
                : Normalizer.normalize(text, Normalizer.Form.NFC);
        long hash = 0xCBF29CE484222325L;
        boolean space = false;
        boolean begun = false;
        for (int i = 0; i < same.length(); i++) {
            char c = same.charAt(i);
            if (Character.isWhitespace(c) || c == '\u00a0') {
                space = begun;
            } else {
                hash = space ? (hash ^ ' ') * 0x100000001B3L : hash;
                hash = (hash ^ c) * 0x100000001B3L;
                space = false;
                begun = true;
            }
        }
        return Hashing.mix(hash);
    }
}
