package io.peft4j.spark;

import io.peft4j.data.near.CandidatePairs;
import io.peft4j.data.near.WordStatistics;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/**
 * Finds the examples that are the same as another one, ask the same or tell the same, among any number of examples, by
 * the keys of {@link CandidatePairs}: those who meet under a key make pairs, and pairs are compared by their texts, all
 * on the executors. What they have in common exactly is looked at where all of them, which are few, are seen at once.
 */
final class RelatedExamples {
    private final JavaPairRDD<Integer, CheckedExample> examples;
    private final JavaSparkContext spark;
    private final Broadcast<WordStatistics> words;
    private final BitSet related = new BitSet();

    RelatedExamples(JavaPairRDD<Integer, CheckedExample> examples, JavaSparkContext spark,
            Broadcast<WordStatistics> words) {
        this.examples = examples;
        this.spark = spark;
        this.words = words;
    }

    /** One of those who meet under a key. */
    private record Member(int number, long sieve) implements Serializable {
    }

    /** Their numbers. */
    BitSet find() {
        BitSet repeated = new BitSet();
        for (int[] group : groups(examples.mapToPair(one -> new Tuple2<>(one._2().exact, one._1()))).collect()) {
            for (int i = 0; i < group.length; i++) {
                related.set(group[i]);
                repeated.set(group[i], i > 0);
            }
        }
        Broadcast<BitSet> left = spark.broadcast(repeated);
        JavaPairRDD<Integer, CheckedExample> different = examples.filter(one -> !left.value().get(one._1()));
        groups(different.mapToPair(one -> new Tuple2<>(one._2().topic, one._1()))).collect().forEach(this::mark);
        groups(different.filter(one -> one._2().fact != 0).mapToPair(one -> new Tuple2<>(one._2().fact, one._1())))
                .collect().forEach(this::mark);
        compare(different);
        return related;
    }

    private void mark(int... numbers) {
        for (int number : numbers) {
            related.set(number);
        }
    }

    /** The numbers with the same key, ascending, where there are several. */
    private static JavaRDD<int[]> groups(JavaPairRDD<Long, Integer> byKey) {
        return byKey.groupByKey().values().map(numbers -> {
            List<Integer> list = new ArrayList<>();
            numbers.forEach(list::add);
            return list.stream().mapToInt(Integer::intValue).sorted().toArray();
        }).filter(group -> group.length > 1);
    }

    private void compare(JavaPairRDD<Integer, CheckedExample> different) {
        JavaPairRDD<Integer, String> texts = different.mapValues(one -> one.text);
        JavaPairRDD<Long, long[]> meetings = different.flatMapToPair(RelatedExamples::keys).groupByKey()
                .mapValues(RelatedExamples::members).filter(met -> met._2().length > 2);
        JavaPairRDD<Integer, Integer> few = meetings.filter(met -> met._2().length <= 2 * CandidatePairs.CROWD)
                .flatMapToPair(met -> pairs(met._2(), new String[0]));
        JavaPairRDD<Integer, Integer> crowds = meetings.filter(met -> met._2().length > 2 * CandidatePairs.CROWD)
                .flatMapToPair(RelatedExamples::membersOfCrowd).join(texts)
                .mapToPair(one -> new Tuple2<>(one._2()._1()._1(), new Tuple2<>(
                        new long[] {one._1(), one._2()._1()._2()}, one._2()._2())))
                .groupByKey().flatMapToPair(crowd -> pairsOfCrowd(crowd._2()));
        Broadcast<BitSet> known = spark.broadcast((BitSet) related.clone());
        Broadcast<WordStatistics> seen = words;
        few.union(crowds).filter(pair -> !(known.value().get(pair._1()) && known.value().get(pair._2()))).distinct()
                .join(texts).mapToPair(one -> new Tuple2<>(one._2()._1(), new Tuple2<>(one._1(), one._2()._2())))
                .join(texts)
                .mapPartitions(pairs -> related(pairs, new CandidatePairs(seen.value()))).collect().forEach(this::mark);
    }

    private static Iterator<Tuple2<Long, Tuple2<Integer, Long>>> keys(Tuple2<Integer, CheckedExample> one) {
        long[] keys = one._2().keys;
        List<Tuple2<Long, Tuple2<Integer, Long>>> all = new ArrayList<>(keys.length);
        for (int i = 0; i < keys.length; i++) {
            all.add(new Tuple2<>(keys[i], new Tuple2<>(one._1(), one._2().sieves[i])));
        }
        return all.iterator();
    }

    /** Numbers and sieves in turn, by numbers. */
    private static long[] members(Iterable<Tuple2<Integer, Long>> met) {
        List<Member> members = new ArrayList<>();
        met.forEach(one -> members.add(new Member(one._1(), one._2())));
        return members.stream().sorted((a, b) -> Integer.compare(a.number(), b.number()))
                .flatMapToLong(one -> LongStream.of(one.number(), one.sieve())).toArray();
    }

    private static Iterator<Tuple2<Integer, Tuple2<Long, Long>>> membersOfCrowd(Tuple2<Long, long[]> met) {
        List<Tuple2<Integer, Tuple2<Long, Long>>> members = new ArrayList<>();
        for (int i = 0; i < met._2().length; i += 2) {
            members.add(new Tuple2<>((int) met._2()[i], new Tuple2<>(met._1(), met._2()[i + 1])));
        }
        return members.iterator();
    }

    private static Iterator<Tuple2<Integer, Integer>> pairsOfCrowd(Iterable<Tuple2<long[], String>> crowd) {
        List<Tuple2<long[], String>> sorted = new ArrayList<>();
        crowd.forEach(sorted::add);
        sorted.sort((a, b) -> Long.compare(a._1()[0], b._1()[0]));
        return pairs(sorted.stream().flatMapToLong(one -> LongStream.of(one._1())).toArray(),
                sorted.stream().map(Tuple2::_2).toArray(String[]::new));
    }

    private static Iterator<Tuple2<Integer, Integer>> pairs(long[] members, String... texts) {
        long[] sieves = new long[members.length / 2];
        for (int i = 0; i < sieves.length; i++) {
            sieves[i] = members[2 * i + 1];
        }
        List<Tuple2<Integer, Integer>> pairs = new ArrayList<>();
        CandidatePairs.pairs(sieves, place -> texts[place], (a, b) -> pairs.add(new Tuple2<>((int) members[2 * a],
                (int) members[2 * b])));
        return pairs.iterator();
    }

    private static Iterator<int[]> related(Iterator<Tuple2<Integer, Tuple2<Tuple2<Integer, String>, String>>> pairs,
            CandidatePairs meetings) {
        Iterable<Tuple2<Integer, Tuple2<Tuple2<Integer, String>, String>>> all = () -> pairs;
        Stream<int[]> found = StreamSupport.stream(all.spliterator(), false)
                .filter(pair -> meetings.related(pair._2()._1()._2(), pair._2()._2()))
                .map(pair -> new int[] {pair._1(), pair._2()._1()._1()});
        return found.iterator();
    }
}
