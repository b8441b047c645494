package io.peft4j.models.constraint;

import java.util.Arrays;

/**
 * Positions by number, each once: a rule, how often or how far it has been followed, and the number of the position
 * behind it. In arrays of numbers, since there are many.
 */
final class PositionTable {
    private static final int FREE = -1;

    private int[] rules = new int[64];
    private int[] counts = new int[64];
    private int[] behind = new int[64];
    private int[] slots = new int[128];
    private int size;

    PositionTable() {
        Arrays.fill(slots, FREE);
    }

    /** The number of a position, a new one where it has none yet. */
    int id(int rule, int count, int next) {
        int mask = slots.length - 1;
        int slot = hash(rule, count, next) & mask;
        while (slots[slot] != FREE) {
            int id = slots[slot];
            if (rules[id] == rule && counts[id] == count && behind[id] == next) {
                return id;
            }
            slot = slot + 1 & mask;
        }
        if (size == rules.length) {
            grow();
            return id(rule, count, next);
        }
        rules[size] = rule;
        counts[size] = count;
        behind[size] = next;
        slots[slot] = size;
        return size++;
    }

    private void grow() {
        rules = Arrays.copyOf(rules, 2 * size);
        counts = Arrays.copyOf(counts, 2 * size);
        behind = Arrays.copyOf(behind, 2 * size);
        slots = new int[4 * size];
        Arrays.fill(slots, FREE);
        for (int id = 0; id < size; id++) {
            int slot = hash(rules[id], counts[id], behind[id]) & slots.length - 1;
            while (slots[slot] != FREE) {
                slot = slot + 1 & slots.length - 1;
            }
            slots[slot] = id;
        }
    }

    private static int hash(int rule, int count, int next) {
        int hash = (rule * 0x9E3779B1 + count) * 0x85EBCA77 + next * 0xC2B2AE3D;
        return hash ^ hash >>> 15;
    }

    int size() {
        return size;
    }

    /** Memory that the arrays take. */
    long bytes() {
        return 4L * (3 * rules.length + slots.length);
    }

    int rule(int id) {
        return rules[id];
    }

    int count(int id) {
        return counts[id];
    }

    int next(int id) {
        return behind[id];
    }
}
