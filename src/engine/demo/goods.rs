//! What Haru Garden sells.

use super::Lang;

/// One article.
#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    /// The shop's own number.
    pub sku: &'static str,
    /// `seeds`, `bulbs`, `pots`, `tools`, `soil`, `classes`.
    pub category: &'static str,
    ko: &'static str,
    en: &'static str,
    won: i64,
    cents: i64,
    /// Of the price, in hundredths: what is left after the goods.
    pub margin: i64,
}

impl Product {
    /// As the customer reads it.
    pub fn name(&self, lang: Lang) -> &'static str {
        lang.pick(self.ko, self.en)
    }
    /// In won, or in cents.
    pub fn price(&self, lang: Lang) -> i64 {
        lang.pick(self.won, self.cents)
    }
}

const fn product(
    sku: &'static str,
    category: &'static str,
    (ko, en): (&'static str, &'static str),
    (won, cents): (i64, i64),
    margin: i64,
) -> Product {
    Product { sku, category, ko, en, won, cents, margin }
}

/// The whole range.
pub const PRODUCTS: &[Product] = &[
    product("S-101", "seeds", ("상추 씨앗", "Lettuce seeds"), (2_500, 299), 60),
    product("S-102", "seeds", ("바질 씨앗", "Basil seeds"), (2_800, 329), 60),
    product("S-103", "seeds", ("방울토마토 씨앗", "Cherry tomato seeds"), (3_200, 399), 58),
    product("S-104", "seeds", ("고추 씨앗", "Chilli seeds"), (2_900, 349), 58),
    product("S-105", "seeds", ("해바라기 씨앗", "Sunflower seeds"), (2_400, 279), 60),
    product("S-106", "seeds", ("코스모스 씨앗", "Cosmos seeds"), (2_200, 269), 60),
    product("S-107", "seeds", ("봄꽃 씨앗 모음", "Spring flower seed mix"), (9_800, 1_190), 55),
    product("B-201", "bulbs", ("튤립 구근 10개", "Tulip bulbs, 10"), (12_000, 1_490), 48),
    product("B-202", "bulbs", ("수선화 구근 10개", "Daffodil bulbs, 10"), (11_000, 1_390), 48),
    product("B-203", "bulbs", ("백합 구근 5개", "Lily bulbs, 5"), (13_500, 1_690), 46),
    product("B-204", "bulbs", ("히아신스 구근 5개", "Hyacinth bulbs, 5"), (12_500, 1_590), 46),
    product("P-301", "pots", ("토분 12cm", "Terracotta pot, 12 cm"), (4_500, 599), 45),
    product("P-302", "pots", ("토분 21cm", "Terracotta pot, 21 cm"), (11_000, 1_399), 45),
    product("P-303", "pots", ("백자 화분", "White porcelain pot"), (38_000, 4_500), 50),
    product("P-304", "pots", ("베란다 화분대", "Balcony plant stand"), (46_000, 5_490), 42),
    product("P-305", "pots", ("걸이 화분 3개", "Hanging pots, 3"), (19_500, 2_390), 44),
    product("T-401", "tools", ("모종삽", "Hand trowel"), (8_900, 1_090), 42),
    product("T-402", "tools", ("전정가위", "Pruning shears"), (32_000, 3_890), 40),
    product("T-403", "tools", ("물뿌리개 3L", "Watering can, 3 l"), (17_500, 2_190), 43),
    product("T-404", "tools", ("호미", "Korean hand hoe"), (7_900, 1_290), 45),
    product("T-405", "tools", ("원예 장갑", "Garden gloves"), (6_500, 890), 50),
    product("T-406", "tools", ("타이머 급수기", "Watering timer"), (54_000, 6_490), 38),
    product("E-501", "soil", ("배양토 20L", "Potting soil, 20 l"), (9_500, 1_190), 36),
    product("E-502", "soil", ("마사토 10L", "Decomposed granite, 10 l"), (6_800, 899), 38),
    product("E-503", "soil", ("지렁이 분변토 5L", "Worm castings, 5 l"), (8_200, 1_099), 40),
    product("E-504", "soil", ("알비료 1kg", "Slow-release feed, 1 kg"), (12_800, 1_599), 42),
    product("C-601", "classes", ("토요 정원 수업", "Saturday garden class"), (45_000, 4_900), 70),
    product("C-602", "classes", ("분재 입문 수업", "Bonsai for beginners"), (68_000, 7_500), 70),
];
