package io.peft4j.data.clean;

import io.peft4j.data.near.Groups;
import io.peft4j.data.pack.Seeds;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Puts groups into parts so that the parts come as near to their shares as the sizes of the groups allow. */
final class Allocation {
    private final SplitRule rule;
    private final Groups groups;
    private final int size;
    private final int parts;

    Allocation(SplitRule rule, Groups groups, int size) {
        this.rule = rule;
        this.groups = groups;
        this.size = size;
        this.parts = rule.ratios().size();
    }

    /** Roots of the groups. */
    private int[] roots() {
        return IntStream.range(0, size).filter(i -> groups.find(i) == i).toArray();
    }

    private int[] sizes() {
        int[] sizes = new int[size];
        for (int i = 0; i < size; i++) {
            sizes[groups.find(i)]++;
        }
        return sizes;
    }

    private int[] spread(int... partOfRoot) {
        return IntStream.range(0, size).map(i -> partOfRoot[groups.find(i)]).toArray();
    }

    /**
     * In an order of chance, large groups first; each comes into the part that lacks most, of its stratum above all, of
     * the whole where these are equal. No part is left empty as long as there are as many groups.
     */
    int[] random(int... stratumOf) {
        int[] roots = Seeds.shuffled(new SplittableRandom(rule.seed()), roots());
        int[] sizes = sizes();
        int[] sorted = Arrays.stream(roots).boxed().sorted((a, b) -> Integer.compare(sizes[b], sizes[a]))
                .mapToInt(Integer::intValue).toArray();
        int strata = Arrays.stream(stratumOf, 0, size).max().orElse(0) + 1;
        int[] inStratum = new int[strata];
        for (int i = 0; i < size; i++) {
            inStratum[stratumOf[groups.find(i)]]++;
        }
        double[][] lacking = new double[strata][parts];
        double[] lackingInAll = new double[parts];
        for (int part = 0; part < parts; part++) {
            double ratio = rule.ratios().get(part);
            lackingInAll[part] = ratio * size;
            for (int stratum = 0; stratum < strata; stratum++) {
                lacking[stratum][part] = ratio * inStratum[stratum];
            }
        }
        int[] partOf = new int[size];
        int[] filled = new int[parts];
        for (int i = 0; i < sorted.length; i++) {
            int root = sorted[i];
            int best = best(lacking[stratumOf[root]], lackingInAll, filled, sorted.length - i);
            partOf[root] = best;
            filled[best]++;
            lacking[stratumOf[root]][best] -= sizes[root];
            lackingInAll[best] -= sizes[root];
        }
        return spread(partOf);
    }

    private int best(double[] lacking, double[] lackingInAll, int[] filled, int left) {
        long empty = Arrays.stream(filled).filter(count -> count == 0).count();
        int best = -1;
        for (int part = 0; part < parts; part++) {
            boolean allowed = empty < left || filled[part] == 0;
            boolean better = best < 0 || lacking[part] > lacking[best] + 1e-9
                    || lacking[part] > lacking[best] - 1e-9 && lackingInAll[part] > lackingInAll[best];
            if (allowed && better) {
                best = part;
            }
        }
        return best;
    }

    /** By time; a group counts as of the time of its latest member, so that nothing early knows what comes later. */
    int[] sorted(List<String> times) {
        boolean numbers = times.stream().allMatch(Allocation::isNumber);
        int[] latest = new int[size];
        for (int i = 0; i < size; i++) {
            latest[i] = i;
        }
        for (int i = 0; i < size; i++) {
            int root = groups.find(i);
            latest[root] = compare(times, latest[root], i, numbers) < 0 ? i : latest[root];
        }
        int[] roots = Arrays.stream(roots()).boxed().sorted((a, b) -> {
            int order = compare(times, latest[a], latest[b], numbers);
            return order != 0 ? order : Integer.compare(a, b);
        }).mapToInt(Integer::intValue).toArray();
        int[] sizes = sizes();
        int[] partOf = new int[size];
        double limit = rule.ratios().get(0) * size;
        int part = 0;
        int done = 0;
        for (int i = 0; i < roots.length; i++) {
            // The next part begins where most of the group lies past its share, or the groups would run out.
            boolean full = done > 0 && done + sizes[roots[i]] / 2.0 > limit;
            boolean fewLeft = roots.length - i <= parts - 1 - part && i > 0;
            if (part < parts - 1 && (full || fewLeft)) {
                part++;
                limit += rule.ratios().get(part) * size;
            }
            partOf[roots[i]] = part;
            done += sizes[roots[i]];
        }
        return spread(partOf);
    }

    private static boolean isNumber(String text) {
        return text.matches("-?\\d+(?:\\.\\d+)?");
    }

    private static int compare(List<String> times, int a, int b, boolean numbers) {
        return numbers ? new java.math.BigDecimal(times.get(a)).compareTo(new java.math.BigDecimal(times.get(b)))
                : times.get(a).compareTo(times.get(b));
    }

    /** By hash: a group comes into the last part that the hash of any of its members asks for. */
    int[] hashed(long... hashes) {
        int[] partOf = new int[size];
        for (int i = 0; i < size; i++) {
            long mixed = new SplittableRandom(hashes[i] ^ rule.seed()).nextLong();
            double place = (mixed >>> 11) * 0x1.0p-53;
            int part = 0;
            double sum = rule.ratios().get(0);
            while (part < parts - 1 && place >= sum) {
                part++;
                sum += rule.ratios().get(part);
            }
            int root = groups.find(i);
            partOf[root] = Math.max(partOf[root], part);
        }
        return spread(partOf);
    }
}
