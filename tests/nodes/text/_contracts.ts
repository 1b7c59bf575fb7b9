import type { NodeConfig } from "../../../core/mod.ts";
import { SentenceAggregator, TextProcessor, TextTransform } from "../../../nodes/text/mod.ts";
import { type AnyContract, contractOf } from "../data/_contract_of.ts";

const texts = () => ["Hello there. How", " are you? Dr. Who", " is fine", "", " 👩‍👩‍👧 e\u0301!"];

/** What the contract has to know of each node of `nodes/text`, by type. */
export const textContracts: Record<string, AnyContract> = {
  TextProcessor: contractOf({
    create: (config: NodeConfig) =>
      new TextProcessor({ operations: ["reverse", "char_count"] }, config),
    inputs: texts,
    refused: [
      [() => new TextProcessor({ operations: ["shout" as never] }), /TextProcessor.*operations\.0/],
      [() => new TextProcessor({ locale: "not a tag" }), /"locale".*BCP 47/],
      [() => new TextProcessor({ locales: "en" } as never), /no option "locales"/],
    ],
  }),
  TextTransform: contractOf({
    create: (config: NodeConfig) => new TextTransform({ trim: true, case: "title" }, config),
    inputs: texts,
    refused: [
      [
        () => new TextTransform({ replace: [{ find: "(", with: "", regex: true }] }),
        /valid regular expression/,
      ],
      [() => new TextTransform({ maxLength: -1 }), /maxLength/],
    ],
  }),
  SentenceAggregator: contractOf({
    create: (config: NodeConfig) => new SentenceAggregator({}, config),
    inputs: texts,
    refused: [[() => new SentenceAggregator({ maxLength: 3 }), /maxLength/]],
  }),
};
