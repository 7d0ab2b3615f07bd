//! The invitations of a customer: the new invitation, and those that can still be used.

use domain::{id::CustomerId, invitation::InvitationRow};
use leptos::prelude::*;

use crate::{
    api::{self, forms},
    components::{
        CopyButton, Erase as _, Failure, Glyph, Moment, Post, PostForm, Submit, TableCard, Tone,
        dynamic, tag, th, th_hidden,
    },
};

/// The actions that make and revoke an invitation. Their results outlive the list, which is
/// refetched.
#[derive(Clone, Copy)]
pub struct Invitations {
    pub make: Post,
    revoke: Post,
}

impl Invitations {
    pub fn new() -> Self {
        Self {
            make: Post::new(forms::MAKE_LINK),
            revoke: Post::new(forms::REVOKE_LINK),
        }
    }

    /// Runs `then` after an invitation was made or revoked. In the browser only.
    pub fn then(self, then: impl Fn() + Copy + 'static) {
        self.make.then(then);
        self.revoke.then(move || {
            // The revoked link may be the new link that is still shown for copying.
            self.make.forget();
            then();
        });
    }

    pub fn forget(self) {
        self.make.forget();
        self.revoke.forget();
    }

    /// The new link. It is shown once, because Postern stores only its hash.
    pub fn made(self) -> AnyView {
        let answer = self.make.answer();
        view! {
            <Failure of=self.make.failure()/>
            <Failure of=self.revoke.failure()/>
            <div role="status">
                {dynamic(move || {
                    answer
                        .with(|text| text.as_ref().and_then(|text| api::read::<String>(text).ok()))
                        .map(|link| {
                            view! {
                                <div class="problem good">
                                    <div class="lines">
                                        <p class="happened">"A link for their admin"</p>
                                        <p>"It works once. Send it to an admin of the customer; it is not shown again. Whoever holds it reads your organisation's name, this customer's, and yours."</p>
                                        <p class="mono break">{link.clone()}</p>
                                        <div class="actions"><CopyButton text=link label="Copy the link"/></div>
                                    </div>
                                </div>
                            }.any()
                        })
                })}
            </div>
        }
        .any()
    }

    /// The invitations that can still be used. Empty when there are none.
    pub fn list(self, customer: CustomerId, open: Vec<InvitationRow>, may_change: bool) -> AnyView {
        if open.is_empty() {
            return ().into_any();
        }
        let mut head = vec![
            th("Made by"),
            th("Made"),
            th("Good until"),
            th("What came of it"),
        ];
        if may_change {
            head.push(th_hidden("Revoke"));
        }
        let rows = open
            .into_iter()
            .map(|row| self.row(customer, row, may_change))
            .collect();
        view! {
            <h3>"Open invitations"</h3>
            <TableCard label="Open invitations" head rows/>
        }
        .any()
    }

    fn row(self, customer: CustomerId, row: InvitationRow, may_change: bool) -> AnyView {
        let revoke = may_change.then(|| {
            view! {
                <td class="act">
                    <PostForm post=self.revoke>
                        <input type="hidden" name="customer" value=customer.to_string()/>
                        <input type="hidden" name="link" value=row.id.to_string()/>
                        <Submit label="Revoke" class="btn small" pending=self.revoke.pending()/>
                    </PostForm>
                </td>
            }
            .any()
        });
        view! {
            <tr>
                <td><span class="strong">{row.maker.clone()}</span><span class="sub">{row.maker_upn.clone()}</span></td>
                <td class="when" data-heading="Made "><Moment at=row.made/></td>
                <td class="when" data-heading="Good until "><Moment at=row.until/></td>
                <td>{came_of_it(&row)}</td>
                {revoke}
            </tr>
        }
        .any()
    }
}

/// What is known of the person who opened the invitation and went on to Microsoft.
fn came_of_it(row: &InvitationRow) -> AnyView {
    match (row.refused, row.asked) {
        (Some(at), _) => view! {
            {tag(Tone::Wait, Glyph::Clock, "asked for approval, or declined")}
            <span class="sub">"Microsoft sent somebody back without a consent, "<Moment at/>". The link is still good."</span>
        }
        .any(),
        (None, Some(at)) => view! {
            {tag(Tone::Wait, Glyph::Clock, "waiting for an administrator")}
            <span class="sub">"Somebody went to Microsoft with it, "<Moment at/>", and no consent has been kept. The link is still good."</span>
        }
        .any(),
        (None, None) => view! { <span class="sub">"nobody has gone to Microsoft with it yet"</span> }.any(),
    }
}
