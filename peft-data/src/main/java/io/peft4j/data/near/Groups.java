package io.peft4j.data.near;

import io.peft4j.core.Internal;
import java.util.Arrays;

/** Numbers put into groups: joined numbers are in the same group (union-find, halving paths). */
@Internal
public final class Groups {
    private final int[] parents;

    /** {@code size} numbers from 0, each a group of its own. */
    public Groups(int size) {
        parents = new int[size];
        Arrays.setAll(parents, i -> i);
    }

    /** The smallest member of the group that a number is in. */
    public int find(int number) {
        int at = number;
        while (parents[at] != at) {
            parents[at] = parents[parents[at]];
            at = parents[at];
        }
        return at;
    }

    /** Makes the groups of two numbers one. */
    public void join(int a, int b) {
        int first = find(a);
        int second = find(b);
        parents[Math.max(first, second)] = Math.min(first, second);
    }

    /** Whether two numbers are in one group. */
    public boolean together(int a, int b) {
        return find(a) == find(b);
    }

    /** The groups with at least two members, each ascending, by their smallest member. */
    public java.util.List<int[]> several() {
        int[] sizes = new int[parents.length];
        for (int i = 0; i < parents.length; i++) {
            sizes[find(i)]++;
        }
        java.util.Map<Integer, int[]> groups = new java.util.LinkedHashMap<>();
        int[] filled = new int[parents.length];
        for (int i = 0; i < parents.length; i++) {
            int root = find(i);
            if (sizes[root] > 1) {
                groups.computeIfAbsent(root, r -> new int[sizes[r]])[filled[root]++] = i;
            }
        }
        return java.util.List.copyOf(groups.values());
    }
}
