package io.peft4j.spark;

import io.peft4j.core.error.DataException;
import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Examples;
import io.peft4j.data.near.WordStatistics;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Where all examples stand, and what those say that a report shows. */
final class ExampleIndex implements Examples {
    private final List<CheckedPart> parts;
    /** The number of the first example of each part, and behind them the number of all. */
    private final int[] firsts;
    private final WordStatistics words;
    private final Map<Integer, String> texts = new HashMap<>();

    ExampleIndex(List<CheckedPart> parts, WordStatistics words, String name) {
        this.parts = parts;
        this.words = words;
        this.firsts = new int[parts.size() + 1];
        long count = 0;
        for (int i = 0; i < parts.size(); i++) {
            count += parts.get(i).lines.length;
            if (count > Integer.MAX_VALUE) {
                throw new DataException(Path.of(name), "has more than " + Integer.MAX_VALUE + " examples, as many as "
                        + "can be checked at once; check it in parts");
            }
            firsts[i + 1] = (int) count;
        }
    }

    int[] firsts() {
        return firsts;
    }

    int size() {
        return firsts[parts.size()];
    }

    void show(int number, String text) {
        texts.put(number, text);
    }

    private int part(int number) {
        int at = Arrays.binarySearch(firsts, number);
        int part = at >= 0 ? at : -at - 2;
        while (firsts[part + 1] <= number) {
            part++;
        }
        return part;
    }

    @Override
    public int file(int number) {
        return parts.get(part(number)).file;
    }

    @Override
    public long line(int number) {
        int part = part(number);
        return parts.get(part).lines[number - firsts[part]];
    }

    private String part(int number, int which) {
        String text = texts.getOrDefault(number, "\0\0");
        return text.split("\0", 3)[which];
    }

    @Override
    public String question(int number) {
        return part(number, 0);
    }

    @Override
    public String answer(int number) {
        return part(number, 1);
    }

    @Override
    public boolean isName(String name) {
        return words.isName(name);
    }

    @Override
    public String spelling(int number, String name) {
        return Corpus.spelling(texts.getOrDefault(number, name), name);
    }
}
