package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.measure.LinearWork;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.models.hub.ModelLocator;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** SmolLM2-135M-Instruct with rounded weights against the likelihoods that Transformers gives for the full ones. */
@Tag("model")
@Tag("full")
class SmolLm2QuantizedTest {
    private static final String ID = "HuggingFaceTB/SmolLM2-135M-Instruct";
    private static final JsonNode EXPECTED = Fixtures.json("smollm2/expected.json");
    private static final Logger LOG = LoggerFactory.getLogger(SmolLm2QuantizedTest.class);

    /**
     * The mean likelihood of a token, in nats. The file holds 4-bit blocks, so int8 rounds a second time, and q4 keeps
     * the blocks and adds nothing to bf16's rounding; blocks that are made again from decoded ones find the same
     * levels.
     */
    @ParameterizedTest
    @CsvSource({"BF16, 0.01, 2", "INT8, 0.02, 1.01", "Q4, 0.01, 0.7"})
    void likelihoodsOfParagraphs(Precision precision, double bound, double bytesAnElement) {
        try (BaseModel model = BaseModel.load(ModelLocator.fromEnvironment().locate(ID),
                ModelOptions.defaults().withPrecision(precision))) {
            List<JsonNode> rows = Fixtures.stream(EXPECTED.get("paragraphs")).toList();
            double[] nll = Measure.oneByOne(model, rows.stream()
                    .map(row -> TokenSequence.allSupervised(Fixtures.ids(row.get("input_ids")))).toList());
            double expected = 0;
            double actual = 0;
            double tokens = 0;
            for (int i = 0; i < nll.length; i++) {
                expected += rows.get(i).get("nll_f64").asDouble();
                actual += nll[i];
                tokens += rows.get(i).get("tokens").asInt();
            }
            LOG.debug("{}: mean nll {} against {}", precision, actual / tokens, expected / tokens);
            assertEquals(expected / tokens, actual / tokens, bound);
            LinearWork work = LinearWork.of(model.network());
            // All but the output layer, which takes 4 bytes an element at most.
            long most = (long) (bytesAnElement * work.parameters()) + 4 * work.headParameters();
            assertTrue(work.bytes() <= most, work.bytes() + " bytes, expected at most " + most);
        }
    }
}
