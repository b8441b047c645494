package io.peft4j.models.generation;

import java.util.Arrays;

/**
 * Positions by number, each once: a rule, how often or how far it has been followed, and the number of the position
 * behind it. In one array of numbers, since there are many and what belongs together is read together.
 */
final class PositionTable {
    private static final int FREE = -1;
    private static final int NUMBERS = 3;

    /** For each position its rule, its count and what is behind it. */
    private int[] entries = new int[NUMBERS * 64];
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
            int at = NUMBERS * slots[slot];
            if (entries[at] == rule && entries[at + 1] == count && entries[at + 2] == next) {
                return slots[slot];
            }
            slot = slot + 1 & mask;
        }
        if (NUMBERS * size == entries.length) {
            grow();
            return id(rule, count, next);
        }
        entries[NUMBERS * size] = rule;
        entries[NUMBERS * size + 1] = count;
        entries[NUMBERS * size + 2] = next;
        slots[slot] = size;
        return size++;
    }

    private void grow() {
        entries = Arrays.copyOf(entries, 2 * NUMBERS * size);
        slots = new int[4 * size];
        Arrays.fill(slots, FREE);
        for (int id = 0; id < size; id++) {
            int slot = hash(rule(id), count(id), next(id)) & slots.length - 1;
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
        return 4L * (entries.length + slots.length);
    }

    int rule(int id) {
        return entries[NUMBERS * id];
    }

    int count(int id) {
        return entries[NUMBERS * id + 1];
    }

    int next(int id) {
        return entries[NUMBERS * id + 2];
    }
}
