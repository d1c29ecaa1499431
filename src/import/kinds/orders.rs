//! Orders: an event in the log, its state in `purchase`, its things in `order_item`. A known order with other values is a
//! correction, and the log says so.

pub(in crate::import) mod correction;
mod land;
mod row;

pub use row::OrderRow;

use super::{Context, Landing, Nth, Rows};
use crate::db::{DbError, Tx};
use crate::import::columns::{Field, Shape};
use crate::import::record::Record;

/// Rows of orders.
#[derive(Debug, Default)]
pub struct Orders {
    nth: Nth,
}

const FIELDS: &[Field] = &[
    Field {
        name: "customer",
        aliases: &[
            "customerid",
            "customerno",
            "customeremail",
            "externalid",
            "email",
            "emailaddress",
            "buyer",
            "buyeremail",
            "memberid",
            "userid",
            "고객",
            "회원",
            "고객번호",
            "회원번호",
            "고객id",
            "회원id",
            "회원아이디",
            "아이디",
            "이메일",
            "이메일주소",
            "주문자이메일",
            "구매자이메일",
            "구매자아이디",
        ],
    },
    Field { name: "order_id", aliases: &["order", "orderno", "ordernumber", "주문번호", "주문id"] },
    Field {
        name: "at",
        aliases: &[
            "date",
            "time",
            "datetime",
            "timestamp",
            "orderdate",
            "orderedat",
            "purchasedate",
            "purchasedat",
            "createdat",
            "주문일",
            "주문일시",
            "주문일자",
            "결제일",
            "결제일시",
            "구매일",
            "구매일시",
            "일시",
        ],
    },
    Field {
        name: "amount",
        aliases: &[
            "total",
            "totalamount",
            "amountpaid",
            "price",
            "revenue",
            "ordertotal",
            "금액",
            "결제금액",
            "주문금액",
            "총금액",
            "총결제금액",
            "실결제금액",
            "합계",
        ],
    },
    Field { name: "currency", aliases: &["currencycode", "통화", "화폐"] },
    Field { name: "margin", aliases: &["profit", "마진", "이익"] },
    Field { name: "discount", aliases: &["discountamount", "할인", "할인금액", "할인액"] },
    Field { name: "status", aliases: &["orderstatus", "상태", "주문상태", "배송상태"] },
    Field { name: "refunded", aliases: &["refund", "refundamount", "환불", "환불금액", "환불액"] },
    Field { name: "items", aliases: &["products", "lineitems", "상품", "상품목록", "주문상품"] },
];

impl Rows for Orders {
    type Row = OrderRow;

    const SHAPE: Shape = Shape {
        kind: "orders",
        fields: FIELDS,
        needed: &[&["customer"], &["at"], &["amount"]],
        attributes: false,
        known_attributes: &[],
    };

    fn parse(record: Record, context: &Context) -> Result<OrderRow, String> {
        row::parse(record, context)
    }

    async fn land(
        &mut self,
        tx: &mut Tx,
        rows: &[(u64, &OrderRow)],
        context: &Context,
        batch: Option<i64>,
    ) -> Result<Landing, DbError> {
        land::land(&mut self.nth, tx, rows, context, batch).await
    }

    fn settle(&mut self, durable: bool) {
        self.nth.settle(durable);
    }
}
