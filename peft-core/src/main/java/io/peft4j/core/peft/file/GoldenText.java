package io.peft4j.core.peft.file;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A text and what a model made of it.
 *
 * @param text the text
 * @param ids its token ids
 * @param nll summed negative log-likelihood of all tokens after the first
 */
record GoldenText(String text, List<Integer> ids, double nll) {
    /** bf16 and quantized weights move a likelihood by less; another adapter or template by far more. */
    private static final double TOLERANCE = 0.02;
    private static final int MOST_SHOWN = 60;

    /** Copies the list. */
    public GoldenText {
        ids = List.copyOf(ids);
    }

    /** What the model makes of texts, those left out that have fewer than two tokens, or unknown ones. */
    static List<GoldenText> of(LanguageModel model, List<String> texts) {
        ModelDescription sizes = model.network().description();
        Map<String, int[]> usable = new LinkedHashMap<>();
        texts.forEach(text -> {
            int[] ids = model.tokenizer().encodeWithSpecials(text);
            if (ids.length > 1 && Arrays.stream(ids).allMatch(id -> id < sizes.vocabularySize())) {
                usable.put(text, Arrays.copyOf(ids, Math.min(ids.length, sizes.maxPositions())));
            }
        });
        int task = TaskIds.any(model);
        double[] losses = SequenceScorer.negativeLogLikelihoods(model,
                usable.values().stream().map(ids -> TokenSequence.allSupervised(ids).inTask(task)).toList());
        List<GoldenText> golden = new ArrayList<>();
        usable.forEach((text, ids) -> golden.add(new GoldenText(text, Arrays.stream(ids).boxed().toList(),
                losses[golden.size()])));
        return golden;
    }

    /** What another model makes of the text differently. */
    Optional<String> difference(GoldenText now) {
        String shown = "the text \"" + (text.length() > MOST_SHOWN ? text.substring(0, MOST_SHOWN) + "..." : text)
                + "\"";
        if (!ids.equals(now.ids)) {
            return Optional.of(shown + " is tokenized differently from when the adapter was made");
        }
        if (!(Math.abs(now.nll - nll) <= TOLERANCE * Math.max(1, Math.abs(nll)))) {
            return Optional.of(String.format(Locale.ROOT, "%s has the negative log-likelihood %.4g; when the adapter "
                    + "was made it was %.4g", shown, now.nll, nll));
        }
        return Optional.empty();
    }
}
