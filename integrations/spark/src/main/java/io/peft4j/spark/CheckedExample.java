package io.peft4j.spark;

import io.peft4j.data.near.CandidatePairs;
import io.peft4j.data.near.Corpus;
import java.io.Serializable;
import java.util.List;

/** What comparisons need of an example. A class of plain fields, which any serializer of Spark can write. */
final class CheckedExample implements Serializable {
    private static final long serialVersionUID = 1L;

    final int place;
    final int file;
    final long line;
    final long exact;
    final long topic;
    final long fact;
    final long[] keys;
    final long[] sieves;
    final String text;

    /**
     * An example.
     *
     * @param place its number in its partition
     */
    CheckedExample(int place, int file, long line, Corpus.Features features) {
        this.place = place;
        this.file = file;
        this.line = line;
        this.exact = features.exactKey();
        this.topic = features.topicKey();
        this.fact = features.factKey();
        List<CandidatePairs.Key> meetings = features.meetings();
        this.keys = meetings.stream().mapToLong(CandidatePairs.Key::hash).toArray();
        this.sieves = meetings.stream().mapToLong(CandidatePairs.Key::sieve).toArray();
        this.text = features.text();
    }
}
