package io.peft4j.data.report;

import io.peft4j.data.near.Corpus;
import io.peft4j.data.near.Overlap;
import io.peft4j.data.near.Relations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Findings on examples that repeat or contradict each other, within a file and between files. */
final class RelationFindings {
    private static final int LISTED = 10;

    private final Corpus corpus;
    private final Relations relations;
    private final List<String> files;
    private final FindingList findings;
    private final Excerpts excerpts;
    private final Corpus asked;
    private final Overlap overlap;

    /**
     * Findings.
     *
     * @param asked the corpus of questions that the overlap is of
     * @param overlap what later files share with earlier ones
     */
    RelationFindings(Corpus corpus, Relations relations, Corpus asked, Overlap overlap, List<String> files,
            FindingList findings, Excerpts excerpts) {
        this.corpus = corpus;
        this.relations = relations;
        this.files = files;
        this.findings = findings;
        this.excerpts = excerpts;
        this.asked = asked;
        this.overlap = overlap;
    }

    void add() {
        for (int[] group : relations.equal().several()) {
            repeated(FindingCode.DUPLICATE, group, "are the same example");
        }
        for (int[] group : relations.near().several()) {
            repeated(FindingCode.NEAR_DUPLICATE, different(group), "are nearly the same");
        }
        contradictions();
        overlap.matches().stream().filter(Overlap.Match::leaked).forEach(this::leaked);
        reworded();
    }

    /** Of equal examples in a file the first. */
    private int[] different(int... group) {
        Set<Long> seen = new HashSet<>();
        return Arrays.stream(group).filter(i -> seen.add((long) corpus.file(i) << Integer.SIZE
                | relations.equal().find(i))).toArray();
    }

    private void repeated(FindingCode code, int[] group, String what) {
        byFile(group).forEach((file, members) -> {
            if (members.size() > 1) {
                List<Long> lines = members.stream().map(corpus::line).toList();
                findings.add(FindingList.finding(code, files.get(file), lines, "lines " + list(lines) + " " + what),
                        () -> excerpts.of(members, corpus));
            }
        });
    }

    /** The members of a group by file. */
    private Map<Integer, List<Integer>> byFile(int... group) {
        return Arrays.stream(group).boxed().collect(Collectors.groupingBy(corpus::file, LinkedHashMap::new,
                Collectors.toList()));
    }

    private static String list(List<Long> lines) {
        String shown = lines.stream().limit(LISTED).map(String::valueOf).collect(Collectors.joining(", "));
        return lines.size() <= LISTED ? shown : shown + " and " + (lines.size() - LISTED) + " others";
    }

    /** One finding for each question that is answered in contradicting ways, in a file. */
    private void contradictions() {
        Map<String, List<Relations.Contradiction>> groups = new LinkedHashMap<>();
        for (Relations.Contradiction found : relations.contradictions()) {
            String key = relations.questions().find(found.first()) + " " + found.kind();
            groups.computeIfAbsent(key, k -> new ArrayList<>()).add(found);
        }
        for (List<Relations.Contradiction> group : groups.values()) {
            Relations.Contradiction first = group.get(0);
            TreeSet<Integer> members = new TreeSet<>();
            group.forEach(found -> members.addAll(List.of(found.first(), found.second())));
            String message = "to the same question line " + corpus.line(first.first()) + " answers with "
                    + kind(first) + excerpts.without(first.firstHas(), corpus.answer(first.first())) + ", "
                    + place(first) + " with " + excerpts.without(first.secondHas(), corpus.answer(first.second()));
            int file = corpus.file(first.first());
            List<Integer> here = members.stream().filter(i -> corpus.file(i) == file).toList();
            findings.add(FindingList.finding(FindingCode.CONTRADICTION, files.get(file), here.stream().map(corpus::line)
                    .toList(), message), () -> excerpts.of(here, corpus));
        }
    }

    private static String kind(Relations.Contradiction found) {
        return found.kind().equals("negation") ? "" : "the " + found.kind() + " ";
    }

    private String place(Relations.Contradiction found) {
        int file = corpus.file(found.second());
        return (file == corpus.file(found.first()) ? "" : files.get(file) + " ") + "line "
                + corpus.line(found.second());
    }

    private void leaked(Overlap.Match match) {
        int taught = match.taught().get(0);
        List<Long> lines = match.taught().stream().map(asked::line).distinct().toList();
        findings.add(FindingList.finding(FindingCode.LEAKAGE, files.get(asked.file(match.number())),
                List.of(asked.line(match.number())), "is asked in the same words in " + files.get(asked.file(taught))
                        + ", line " + list(lines)),
                () -> excerpts.of(List.of(match.number()), asked));
    }

    /** One finding for each file. */
    private void reworded() {
        Map<Integer, List<Integer>> byFile = overlap.matches().stream().filter(match -> !match.leaked())
                .map(Overlap.Match::number).collect(Collectors.groupingBy(asked::file, TreeMap::new,
                        Collectors.toList()));
        byFile.forEach((file, members) -> findings.add(FindingList.finding(FindingCode.REWORDED, files.get(file),
                members.stream().map(asked::line).toList(), members.size() + (members.size() == 1 ? " row asks"
                        : " rows ask") + " in other words for what " + files.get(0) + " teaches"),
                () -> excerpts.of(members, asked)));
    }
}
