package io.peft4j.core.task;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.decision.PythonJson;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.Tokenizer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The form of embedders: the state is a text, and so is each option behind the instructions; the cosine of their
 * vectors times {@value DecisionForm#SCALE} is the option's logit. An embedder answers so without any training, by the
 * nearest option, and the order of options does not matter. Texts that occur several times are computed once: the state
 * of several questions, and the options of several states. A long state loses its end, a list of turns its beginning,
 * instructions what an option leaves no room for; control tokens in a user's text are text.
 */
final class SimilarityForm implements DecisionForm {
    private static final int MOST_TOKENS = 512;

    private final Tokenizer tokenizer;
    private final int room;
    private final int[] frame;

    SimilarityForm(Model model, DecisionSettings settings) {
        this.tokenizer = model.tokenizer();
        this.frame = MarkerForm.frame(tokenizer);
        try (ModelLease lease = model.lease()) {
            this.room = Math.min(settings.maxTokens().orElse(MOST_TOKENS), lease.maxPositions()) - frame.length;
        }
    }

    @Override
    public boolean predictsLabels() {
        return false;
    }

    @Override
    public Encoded encode(JsonNode state, DecisionQuestion question, int... order) {
        List<String> texts = MarkerForm.rendered(question);
        int[] ids = tokenizer.encodeAsText(PythonJson.text(state));
        int from = state.isArray() ? Math.max(0, ids.length - room) : 0;
        List<TokenSequence> sequences = new ArrayList<>(List.of(framed(Arrays.copyOfRange(ids, from, ids.length))));
        int[] asked = tokenizer.encodeAsText(question.text());
        int[] places = new int[order.length];
        for (int option : order) {
            places[option] = sequences.size();
            int[] own = tokenizer.encodeAsText(" " + texts.get(option));
            int[] before = Arrays.copyOf(asked, Math.max(0, Math.min(asked.length, room - own.length)));
            sequences.add(framed(IntStream.concat(IntStream.of(before), IntStream.of(own)).toArray()));
        }
        return new Encoded(sequences, places);
    }

    private TokenSequence framed(int... ids) {
        int[] whole = new int[Math.min(ids.length, room) + frame.length];
        whole[0] = frame[0];
        System.arraycopy(ids, 0, whole, 1, whole.length - frame.length);
        whole[whole.length - 1] = frame[1];
        return TokenSequence.unsupervised(whole);
    }

    @Override
    public List<double[]> logits(Model model, List<Encoded> questions) {
        Map<IntBuffer, TokenSequence> texts = new LinkedHashMap<>();
        questions.forEach(question -> question.sequences().forEach(text -> texts.putIfAbsent(key(text), text)));
        List<float[]> computed = HeadPasses.outputs(model, List.copyOf(texts.values()));
        Map<IntBuffer, float[]> vectors = new HashMap<>();
        texts.keySet().forEach(text -> vectors.put(text, computed.get(vectors.size())));
        return questions.stream().map(question -> {
            float[] state = vectors.get(key(question.sequence()));
            return IntStream.of(question.outputs()).mapToDouble(option -> SCALE * TextEmbedder.cosine(state,
                    vectors.get(key(question.sequences().get(option))))).toArray();
        }).toList();
    }

    private static IntBuffer key(TokenSequence text) {
        return IntBuffer.wrap(Arrays.copyOf(text.ids(), text.length()));
    }
}
